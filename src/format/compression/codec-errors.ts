import { KlogError } from '../../errors.js';

export function corrupt(type: string, what: string, cause?: unknown): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `${type} data is corrupt: ${what}`, { cause });
}

export function beyondLimit(type: string, maxBytes: number): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `${type} data decompresses to more than the limit of ${maxBytes} bytes`);
}

/** The message of whatever a codec's package threw, as the detail of our own. */
export function detailOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** A Buffer over the same bytes: some native packages take nothing else. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
