/**
 * `csv` and `tsv` for input, as separated-values.ts prints them. The first line names the columns, in any order; only
 * `value` must be there, since a record whose value is unknown is no tombstone. Null and empty are told apart as on
 * output.
 *
 * | column                                   | left out        | null            | otherwise                     |
 * |------------------------------------------|-----------------|-----------------|-------------------------------|
 * | `value`                                  | refused         | tombstone       | its bytes                     |
 * | `key`                                    | null            | null            | its bytes                     |
 * | `headers`                                | none            | none            | JSON as in `-J`, empty: none  |
 * | `topic` `partition` `offset` `timestamp` | unknown         | unknown         | text, whole numbers           |
 *
 * Lines without anything are passed over, unless there is one column only.
 */
import { isUtf8 } from 'node:buffer';
import { InputBuffer } from '../input-buffer.js';
import type { InputRecord, RecordOrigin, RecordReader } from '../input-record.js';
import { BadRecordError, headersField } from '../json-fields.js';
import { CsvRows } from './csv-rows.js';
import { type RowScanner, RowSyntaxError } from './row-scanner.js';
import { COLUMNS, type Column } from './separated-values.js';
import { TsvRows } from './tsv-rows.js';

export interface SeparatedValuesReaderOptions {
  /** Refuses a last line without its newline. Default false. */
  readonly strict?: boolean;
  /** A record with more bytes is refused. Default 256 MiB. */
  readonly maxRecordBytes?: number;
}

const DEFAULT_MAX_RECORD_BYTES = 256 * 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

export function createCsvReader(options: SeparatedValuesReaderOptions = {}): RecordReader {
  return new SeparatedValuesReader('csv', new CsvRows(), options);
}

export function createTsvReader(options: SeparatedValuesReaderOptions = {}): RecordReader {
  return new SeparatedValuesReader('tsv', new TsvRows(), options);
}

class SeparatedValuesReader implements RecordReader {
  readonly #word: 'csv' | 'tsv';
  readonly #rows: RowScanner;
  readonly #strict: boolean;
  readonly #maxRecordBytes: number;
  readonly #input = new InputBuffer();
  #columns: readonly Column[] | undefined;
  #isAtStart = true;
  /** Behind the row under way, once its end is known. */
  #rowEnd = -1;
  /** Without a head nothing can be read, so it is not passed over. */
  #headError: unknown;

  constructor(word: 'csv' | 'tsv', rows: RowScanner, options: SeparatedValuesReaderOptions) {
    this.#word = word;
    this.#rows = rows;
    this.#strict = options.strict === true;
    this.#maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES;
  }

  push(chunk: Uint8Array): void {
    this.#input.push(chunk);
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
    if (this.#columns === undefined && !this.#readHead()) return undefined;
    const input = this.#input;
    while (this.#findRow()) {
      if (this.#isBlank()) {
        this.#drop();
        continue;
      }
      const record = this.#record(this.#columns!);
      input.position = this.#rowEnd;
      input.take();
      this.#begin();
      return record;
    }
    return undefined;
  }

  skipBad(): Uint8Array | undefined {
    if (this.#headError !== undefined) throw this.#headError;
    const input = this.#input;
    let end = this.#rowEnd;
    if (end < 0) {
      // Where its quotes are wrong, a row has no end; the next line may be fine.
      const newline = input.bytes.subarray(0, input.length).indexOf(LF, input.start);
      const isTooLong = input.length - input.start > this.#maxRecordBytes;
      if (newline < 0 && !input.ended && !isTooLong) return undefined;
      end = newline < 0 ? input.length : newline + 1;
    }
    const skipped = Buffer.from(input.bytes.subarray(input.start, end));
    input.dropTo(end);
    this.#begin();
    return skipped;
  }

  #begin(): void {
    this.#rowEnd = -1;
    this.#rows.reset();
  }

  #drop(): void {
    this.#input.dropTo(this.#rowEnd);
    this.#begin();
  }

  /** False: more is needed. */
  #readHead(): boolean {
    try {
      if (!this.#passByteOrderMark() || !this.#findRow()) return false;
      this.#columns = this.#headColumns();
    } catch (error) {
      this.#headError = this.#placed(error);
      throw this.#headError;
    }
    this.#drop();
    return true;
  }

  #passByteOrderMark(): boolean {
    if (!this.#isAtStart) return true;
    const input = this.#input;
    const begin = input.bytes.subarray(input.start, Math.min(input.length, input.start + BYTE_ORDER_MARK.length));
    if (begin.equals(BYTE_ORDER_MARK)) input.dropTo(input.start + BYTE_ORDER_MARK.length);
    else if (!input.ended && begin.equals(BYTE_ORDER_MARK.subarray(0, begin.length))) return false;
    this.#isAtStart = false;
    return true;
  }

  #findRow(): boolean {
    const input = this.#input;
    if (input.start === input.length) return false;
    try {
      this.#rowEnd = this.#rows.scan(input.bytes, input.start, input.length, input.ended);
    } catch (error) {
      throw this.#placed(error);
    }
    if (this.#rowEnd < 0) {
      if (input.length - input.start <= this.#maxRecordBytes) return false;
      throw input.error(`a record of more than ${this.#maxRecordBytes} bytes`, input.start);
    }
    if (this.#strict && input.bytes[this.#rowEnd - 1] !== LF) {
      throw input.error('the input ends before the newline that ends the record', input.length);
    }
    return true;
  }

  #headColumns(): Column[] {
    const columns: Column[] = [];
    for (let i = 0; i < this.#rows.fieldCount; i++) {
      const name = this.#field(i)?.toString('utf8') ?? '';
      if (!isColumn(name)) throw this.#badHead(`the first line names a column '${name}', which records do not have`);
      if (columns.includes(name)) throw this.#badHead(`the first line names the column ${name} twice`);
      columns.push(name);
    }
    if (!columns.includes('value')) throw this.#badHead('the first line names no column value');
    return columns;
  }

  #badHead(reason: string): unknown {
    const layout = this.#word === 'csv' ? '%k,%v\\n' : '%k\\t%v\\n';
    const hint = `Columns are ${COLUMNS.join(' ')}; plain lines are read by a layout such as ${layout}`;
    return this.#input.error(reason, this.#input.start, { hint });
  }

  #isBlank(): boolean {
    const { bytes, start } = this.#input;
    return this.#columns!.length > 1 && (bytes[start] === LF || (bytes[start] === CR && bytes[start + 1] === LF));
  }

  #record(columns: readonly Column[]): InputRecord {
    const { fieldCount } = this.#rows;
    if (fieldCount !== columns.length) {
      const reason = `${fieldCount} fields, and the first line names ${columns.length} columns`;
      throw this.#input.error(reason, this.#input.start);
    }
    const record: { -readonly [name in keyof InputRecord]: InputRecord[name] } = {
      key: null,
      value: null,
      headers: [],
    };
    try {
      for (let i = 0; i < columns.length; i++) setField(record, columns[i]!, this.#field(i));
    } catch (error) {
      throw this.#placed(error);
    }
    return record;
  }

  #field(index: number): Buffer | null {
    try {
      return this.#rows.field(this.#input.bytes, this.#input.start, index);
    } catch (error) {
      throw this.#placed(error);
    }
  }

  #placed(error: unknown): unknown {
    const input = this.#input;
    if (error instanceof RowSyntaxError) return input.error(error.message, error.position);
    if (error instanceof BadRecordError) return input.error(error.message, input.start, { hint: error.hint });
    return error;
  }
}

function isColumn(name: string): name is Column {
  return (COLUMNS as readonly string[]).includes(name);
}

function setField(
  record: { -readonly [name in keyof InputRecord]: InputRecord[name] },
  column: Column,
  field: Buffer | null,
): void {
  switch (column) {
    case 'key':
    case 'value':
      record[column] = field;
      return;
    case 'topic':
      record.topic = field === null || field.length === 0 ? undefined : field.toString('utf8');
      return;
    case 'headers':
      record.headers = field === null || field.length === 0 ? [] : headersField(parseJson(field));
      return;
    case 'partition':
    case 'offset':
    case 'timestamp':
      record[column] = field === null || field.length === 0 ? undefined : parseInteger(field, column);
  }
}

function parseJson(field: Buffer): unknown {
  try {
    if (isUtf8(field)) return JSON.parse(field.toString('utf8'));
  } catch {
    // Said below.
  }
  throw new BadRecordError('headers is not JSON', 'Headers look like [{"key":"h","value":"x"}].');
}

function parseInteger(field: Buffer, column: Column): number {
  const text = field.toString('latin1');
  const n = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(n)) return n;
  throw new BadRecordError(`${column} is "${field.toString('utf8')}", not a whole number up to 2^53 - 1`);
}
