/** Writes the fields of Kafka's message schemas in their plain form; the layout stands in `schema-reader.ts`. */
import { KlogError } from '../../errors.js';
import { writeInt16, writeInt32, writeInt64 } from '../int64.js';

const INITIAL_BYTES = 128;
const MAX_STRING_BYTES = 0x7fff;

export class SchemaWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  int8(n: number): this {
    // Room first: it may exchange the buffer.
    const at = this.#room(1);
    this.#buffer[at] = n;
    return this;
  }

  int16(n: number): this {
    const at = this.#room(2);
    writeInt16(this.#buffer, at, n);
    return this;
  }

  int32(n: number): this {
    const at = this.#room(4);
    writeInt32(this.#buffer, at, n);
    return this;
  }

  int64(n: number): this {
    const at = this.#room(8);
    writeInt64(this.#buffer, at, n);
    return this;
  }

  /** Longer than 32,767 bytes: INVALID_RECORD. */
  string(text: string | null): this {
    if (text === null) return this.int16(-1);
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_STRING_BYTES) {
      throw new KlogError('INVALID_RECORD', `a string of ${bytes} bytes does not fit: at most ${MAX_STRING_BYTES}`);
    }
    this.int16(bytes);
    const at = this.#room(bytes);
    this.#buffer.write(text, at);
    return this;
  }

  bytes(bytes: Uint8Array | null): this {
    if (bytes === null) return this.int32(-1);
    this.int32(bytes.length);
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
    return this;
  }

  array<T>(items: readonly T[] | null, writeItem: (item: T) => void): this {
    if (items === null) return this.int32(-1);
    this.int32(items.length);
    for (const item of items) writeItem(item);
    return this;
  }

  /** What has been written, of its own memory. */
  done(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#length));
  }

  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, at));
      this.#buffer = larger;
    }
    return at;
  }
}
