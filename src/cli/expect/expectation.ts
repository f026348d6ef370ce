import type { ConsumerBatch } from '../../clients/client.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import type { RecordFilter } from '../consume/print-records.js';
import { counted } from '../listing.js';
import { describeBatch, emptyContext } from '../record-format/format-context.js';
import { OutputBuffer } from '../record-format/output-buffer.js';
import type { RecordPrinter } from '../record-format/record-printer.js';
import { type Difference, ExpectedBytes } from './expected-bytes.js';

/** What records are held against, one after the other. */
export interface Expectation {
  /** The record the cursor stands on: what is wrong with it, or nothing. */
  take(cursor: RecordCursor, batch: ConsumerBatch): string | undefined;
  /** Everything expected has come. */
  readonly isMet: boolean;
  /** What is missing. */
  missing(): string;
}

/** So many records, each of which fulfils an expression. Without a number: at least one. */
export class CountExpectation implements Expectation {
  readonly #count: number | undefined;
  readonly #holds: RecordFilter | undefined;
  readonly #context = emptyContext();
  #records = 0;

  constructor(count: number | undefined, holds: RecordFilter | undefined) {
    this.#count = count;
    this.#holds = holds;
  }

  take(cursor: RecordCursor, batch: ConsumerBatch): string | undefined {
    this.#records += 1;
    if (this.#count !== undefined && this.#records > this.#count) {
      return `expected ${counted(this.#count, 'record')}, found another`;
    }
    if (this.#holds === undefined) return undefined;
    describeBatch(batch, this.#context);
    return this.#holds(cursor, this.#context) ? undefined : 'the expression does not hold';
  }

  get isMet(): boolean {
    return this.#records >= (this.#count ?? 1);
  }

  missing(): string {
    return `expected ${counted(this.#count ?? 1, 'record')}, found ${this.#records}`;
  }
}

/** The records as they would be printed are the bytes of a file. */
export class FileExpectation implements Expectation {
  readonly #printer: RecordPrinter;
  readonly #expected: ExpectedBytes;
  readonly #context = emptyContext();
  readonly #out = new OutputBuffer();
  /** In what comes before the first record: told with that. */
  readonly #inHead: Difference | undefined;

  constructor(bytes: Uint8Array, printer: RecordPrinter) {
    this.#printer = printer;
    this.#expected = new ExpectedBytes(bytes);
    printer.begin?.(this.#out);
    this.#inHead = this.#compare();
  }

  take(cursor: RecordCursor, batch: ConsumerBatch): string | undefined {
    describeBatch(batch, this.#context);
    this.#context.recordNumber += 1;
    if (this.#inHead === undefined) this.#printer.print(cursor, this.#context, this.#out);
    const difference = this.#inHead ?? this.#compare();
    return difference && describe(difference);
  }

  get isMet(): boolean {
    return this.#inHead === undefined && this.#expected.isDone;
  }

  missing(): string {
    return describe({ ...this.#expected.rest, found: undefined });
  }

  #compare(): Difference | undefined {
    const difference = this.#expected.take(this.#out.view());
    this.#out.clear();
    return difference;
  }
}

function describe({ line, expected, found }: Difference): string {
  const quoted = (text: string | undefined, none: string) => (text === undefined ? none : `'${text}'`);
  return `line ${line}: expected ${quoted(expected, 'no more')}, found ${quoted(found, 'nothing')}`;
}
