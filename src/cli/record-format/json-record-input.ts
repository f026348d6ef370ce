/**
 * `-J` for input: JSON objects, one a line or spread over several, as klog prints them or as another tool's dump
 * (foreign-dumps.ts). Absent, null and "" are three different things:
 *
 * | field                                          | absent                 | null       | otherwise                     |
 * |------------------------------------------------|------------------------|------------|-------------------------------|
 * | `key` or `keyBase64`                           | null key               | null key   | text as UTF-8, or base64      |
 * | `value` or `valueBase64`                       | refused: unknown is not a tombstone | tombstone | likewise            |
 * | `headers`: `[{key, value or valueBase64}]`     | none                   | none       | order, repeats and nulls stay |
 * | `topic` `partition` `offset` `timestamp`       | undefined              | undefined  | whole numbers to 2^53 - 1     |
 *
 * Text with a lone surrogate has no UTF-8 and is refused: it would come back as something else.
 */
import { isUtf8 } from 'node:buffer';
import { readForeignRecord } from './foreign-dumps.js';
import { InputBuffer } from './input-buffer.js';
import type { InputRecord, RecordOrigin, RecordReader } from './input-record.js';
import { BadRecordError, bytesField, headersField, integerField, type JsonObject, topicField } from './json-fields.js';
import { JsonScanner, JsonSyntaxError } from './json-scanner.js';

export interface JsonReaderOptions {
  /** A record with more bytes is refused. Default 256 MiB. */
  readonly maxRecordBytes?: number;
}

const DEFAULT_MAX_RECORD_BYTES = 256 * 1024 * 1024;

export function createJsonReader(options: JsonReaderOptions = {}): RecordReader {
  return new JsonReader(options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES);
}

class JsonReader implements RecordReader {
  readonly #input = new InputBuffer();
  readonly #scanner = new JsonScanner();
  readonly #maxRecordBytes: number;
  #atStart = true;
  /** Up to here what is in hand is no line that is an object: its many objects are not each tried as one. */
  #oddUntil = 0;

  constructor(maxRecordBytes: number) {
    this.#maxRecordBytes = maxRecordBytes;
  }

  push(chunk: Uint8Array): void {
    this.#input.push(chunk);
    // What is in hand may have moved.
    this.#oddUntil = 0;
  }

  end(): void {
    this.#input.ended = true;
  }

  get bytesLeft(): number {
    return this.#input.length - this.#input.start;
  }

  origin(): RecordOrigin {
    return this.#input.origin();
  }

  next(): InputRecord | undefined {
    const input = this.#input;
    if (input.position === input.start) {
      if (!this.#passSpace()) return undefined;
      if (input.start >= this.#oddUntil) {
        const record = this.#nextLine();
        if (record !== undefined) return record;
      }
    }
    const end = this.#scan();
    if (end < 0) {
      if (input.length - input.start > this.#maxRecordBytes) {
        throw input.error(`a record of more than ${this.#maxRecordBytes} bytes`, input.start);
      }
      return undefined;
    }
    const record = this.#parse(input.bytes.subarray(input.start, end));
    this.#scanner.reset();
    input.position = end;
    input.take();
    return record;
  }

  skipBad(): Uint8Array | undefined {
    const input = this.#input;
    const newline = input.bytes.subarray(0, input.length).indexOf(0x0a, input.start);
    const tooLong = input.length - input.start > this.#maxRecordBytes;
    if (newline < 0 && !input.ended && !tooLong) return undefined;
    const end = newline < 0 ? input.length : newline + 1;
    const skipped = Buffer.from(input.bytes.subarray(input.start, end));
    input.dropTo(end);
    this.#scanner.reset();
    return skipped;
  }

  /** False when there is nothing but space. */
  #passSpace(): boolean {
    const input = this.#input;
    const { bytes, length } = input;
    let at = input.start;
    if (this.#atStart) {
      // A byte order mark, which some tools write.
      if (length - at < 3 && !input.ended && bytes[at] === 0xef) return false;
      if (length - at >= 3 && bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at += 3;
      if (length > at) this.#atStart = false;
    }
    while (at < length && (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09)) at++;
    if (at > input.start) input.dropTo(at);
    return at < length;
  }

  /** The everyday input: a line that is an object, which needs no scanner to find its end. */
  #nextLine(): InputRecord | undefined {
    const input = this.#input;
    const newline = input.bytes.subarray(0, input.length).indexOf(0x0a, input.start);
    this.#oddUntil = newline < 0 ? input.length : newline;
    if (newline < 0 || input.bytes[input.start] !== 0x7b) return undefined;
    const line = input.bytes.subarray(input.start, newline);
    if (line.length > this.#maxRecordBytes || !isUtf8(line)) return undefined;
    const text = line.toString('utf8');
    let object: JsonObject;
    try {
      object = JSON.parse(text) as JsonObject;
    } catch {
      // Part of an object over several lines, several objects, or a mistake that the scanner finds the place of.
      return undefined;
    }
    const record = this.#interpret(object, text);
    input.position = newline + 1;
    input.take(1);
    return record;
  }

  #interpret(object: JsonObject, text: string): InputRecord {
    try {
      return readForeignRecord(object, text) ?? parseOwnRecord(object);
    } catch (error) {
      if (!(error instanceof BadRecordError)) throw error;
      throw this.#input.error(error.message, this.#input.start, { hint: error.hint });
    }
  }

  /** The position behind the value, or -1 until more comes. */
  #scan(): number {
    const input = this.#input;
    if (input.bytes[input.start] !== 0x7b) throw input.error('expected a JSON object', input.start);
    try {
      const end = this.#scanner.scan(input.bytes, input.position, input.length);
      if (end >= 0) return end;
    } catch (error) {
      if (error instanceof JsonSyntaxError) throw input.error(error.message, error.position);
      throw error;
    }
    input.position = input.length;
    if (input.ended) throw input.error('the input ends in the middle of a JSON object');
    return -1;
  }

  #parse(bytes: Buffer): InputRecord {
    const input = this.#input;
    if (!isUtf8(bytes)) {
      throw input.error('bytes that are not UTF-8', input.start, {
        hint: 'Binary keys and values need keyBase64 and valueBase64.',
      });
    }
    const text = bytes.toString('utf8');
    let object: JsonObject;
    try {
      object = JSON.parse(text) as JsonObject;
    } catch (error) {
      throw input.error('this is not JSON', input.start, { cause: error });
    }
    return this.#interpret(object, text);
  }
}

/** Throws {@link BadRecordError}. */
function parseOwnRecord(object: JsonObject): InputRecord {
  const value = bytesField(object.value, object.valueBase64, 'value');
  if (value === undefined) throw missingValue(object);
  return {
    topic: topicField(object),
    partition: integerField(object.partition, 'partition'),
    offset: integerField(object.offset, 'offset'),
    timestamp: integerField(object.timestamp, 'timestamp'),
    key: bytesField(object.key, object.keyBase64, 'key') ?? null,
    value,
    headers: headersField(object.headers),
  };
}

function missingValue(object: JsonObject): BadRecordError {
  const fields = Object.keys(object).slice(0, 5).join(', ');
  return new BadRecordError(
    `no value among its fields (${fields === '' ? 'there are none' : fields})`,
    'Write "value":null for a tombstone.',
  );
}
