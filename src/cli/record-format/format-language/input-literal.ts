/** Literal text of a layout, and how errors show bytes of the input. */
import type { InputBuffer } from '../input-buffer.js';

/** False: more bytes are needed. `mayLack`: at the end of the input it may be missing as a whole. */
export function readLiteral(input: InputBuffer, bytes: Buffer, mayLack: boolean): boolean {
  const available = input.length - input.position;
  if (available < bytes.length) {
    if (!input.ended) return false;
    if (mayLack && available === 0 && input.position > input.start) return true;
  }
  const found = input.bytes.subarray(input.position, Math.min(input.length, input.position + bytes.length));
  if (!found.equals(bytes)) {
    throw input.error(`expected ${quoted(bytes)}, found ${found.length === 0 ? 'the end' : quoted(found)}`);
  }
  input.position += bytes.length;
  return true;
}

export function quoted(bytes: Uint8Array): string {
  return JSON.stringify(Buffer.from(bytes).toString('utf8'));
}
