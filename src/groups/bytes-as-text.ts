/**
 * Bytes of keys and values as text, a character (U+0000 to U+00FF) a byte: a short string takes far less than a short
 * buffer, to make and to keep, and can be the key of a map.
 */

export function textOfBytes(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1', start, end);
}

export function bytesOfText(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
