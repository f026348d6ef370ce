/**
 * The fields of the record that a cursor stands on: where they lie in its buffer, and ways to look at them. No object
 * per record; {@link RecordFields.toRecord} makes one that stays.
 */
import type { LogRecord, RecordHeader, TimestampType } from './log-record.js';
import { VarintReader } from './varint.js';

const NO_BYTES = Buffer.alloc(0);
/** One serves all: nothing keeps it beyond a call. */
const varints = new VarintReader();

export abstract class RecordFields {
  /** Where the fields below point to: the batch's own buffer, or what was decompressed. */
  buffer: Buffer = NO_BYTES;
  /** Numbers that pass 2^31 begin as fractions, so that the engine makes the fields doubles once and for all. */
  offset = Number.NaN;
  /** Milliseconds since 1970, or -1. */
  timestamp = Number.NaN;
  timestampType: TimestampType = 'create';
  /** -1 when the key is null; so for all starts. */
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  headerCount = 0;
  headersStart = 0;
  headersEnd = 0;
  /** After {@link nextHeader}. */
  headerKeyStart = 0;
  headerKeyEnd = 0;
  headerValueStart = -1;
  headerValueEnd = -1;

  /** The record as it is encoded: `buffer[recordStart, recordEnd)`. */
  protected recordStart = 0;
  protected recordEnd = 0;
  #headerPosition = 0;
  #headersLeft = 0;
  #words: DataView | undefined;

  /** The memory of {@link buffer}, for reading four bytes at once. */
  get words(): DataView {
    const { buffer } = this;
    this.#words ??= new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    return this.#words;
  }

  /** A view, valid as long as the cursor stays on this batch and its buffer is not reused. */
  key(): Uint8Array | null {
    return this.keyStart < 0 ? null : view(this.buffer, this.keyStart, this.keyEnd);
  }

  /** A view, as {@link key}. */
  value(): Uint8Array | null {
    return this.valueStart < 0 ? null : view(this.buffer, this.valueStart, this.valueEnd);
  }

  /** Header values are views, as {@link key}. Bytes of keys that are not UTF-8 become U+FFFD. */
  headers(): RecordHeader[] {
    return this.#readHeaders(this.buffer, 0);
  }

  /** Goes to the next header of the record, whose ranges it leaves in `headerKeyStart` and so on; false at the end. */
  nextHeader(): boolean {
    if (this.#headersLeft === 0) return false;
    this.#headersLeft--;
    const { buffer } = this;
    varints.position = this.#headerPosition;
    const keyLength = varints.readVarint(buffer, this.headersEnd);
    this.headerKeyStart = varints.position;
    this.headerKeyEnd = varints.position + keyLength;
    varints.position = this.headerKeyEnd;
    const valueLength = varints.readVarint(buffer, this.headersEnd);
    this.headerValueStart = valueLength < 0 ? -1 : varints.position;
    this.headerValueEnd = valueLength < 0 ? -1 : varints.position + valueLength;
    this.#headerPosition = varints.position + Math.max(0, valueLength);
    return true;
  }

  /** Begins again with the first header. */
  rewindHeaders(): void {
    this.#headerPosition = this.headersStart;
    this.#headersLeft = this.headerCount;
  }

  /**
   * A record with memory of its own, one piece for all its fields. A small one shares that with others, as the
   * runtime's buffers do, so look at `byteOffset` before using a field's `buffer`.
   */
  toRecord(): LogRecord {
    const { keyStart, valueStart } = this;
    const start = this.recordStart;
    const bytes = Buffer.allocUnsafe(this.recordEnd - start);
    bytes.set(view(this.buffer, start, this.recordEnd));
    return {
      offset: this.offset,
      timestamp: this.timestamp,
      key: keyStart < 0 ? null : view(bytes, keyStart - start, this.keyEnd - start),
      value: valueStart < 0 ? null : view(bytes, valueStart - start, this.valueEnd - start),
      headers: this.headerCount === 0 ? [] : this.#readHeaders(bytes, start),
    };
  }

  /** Values are views of `bytes`, which begins where `start` is in the cursor's buffer. */
  #readHeaders(bytes: Uint8Array, start: number): RecordHeader[] {
    const headers: RecordHeader[] = [];
    this.rewindHeaders();
    while (this.nextHeader()) {
      const { headerValueStart } = this;
      headers.push({
        key: this.buffer.toString('utf8', this.headerKeyStart, this.headerKeyEnd),
        value: headerValueStart < 0 ? null : view(bytes, headerValueStart - start, this.headerValueEnd - start),
      });
    }
    this.rewindHeaders();
    return headers;
  }

  protected setBuffer(buffer: Buffer): void {
    this.buffer = buffer;
    this.#words = undefined;
  }
}

/** Always a plain Uint8Array, whatever the buffer is. */
function view(buffer: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset + start, end - start);
}
