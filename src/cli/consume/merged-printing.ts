import type { ConsumerBatches } from '../../clients/consumer.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import type { FormatContext } from '../record-format/format-context.js';
import type { OutputBuffer } from '../record-format/output-buffer.js';
import type { RecordPrinter } from '../record-format/record-printer.js';

/** A run of more records is not short. */
const SHORT_RECORDS = 4;
/**
 * After so many short runs all partitions are printed together (again); after twice as many each time that was of no
 * use.
 */
const FIRST_RUNS = 16;
const MOST_RUNS = 4096;
/** For each partition some of its records are copied: so many must have been printed for that to have been of use. */
const USEFUL_RECORDS = 64;

/** Partitions merged by time whose records lie so mixed that runs are short: many of them are printed at once. */
export class MergedPrinting {
  readonly #batches: ConsumerBatches;
  readonly #out: OutputBuffer;
  readonly #take: (cursors: readonly RecordCursor[]) => void;
  #patience = FIRST_RUNS;
  #shortRuns = 0;
  #maxRecords = 0;
  #maxBytes = 0;
  #printed = 0;

  constructor(batches: ConsumerBatches, printer: RecordPrinter, context: FormatContext, out: OutputBuffer) {
    this.#batches = batches;
    this.#out = out;
    this.#take = (cursors) => {
      this.#printed = printer.printMerged?.(cursors, context, out, this.#maxRecords, this.#maxBytes) ?? 0;
    };
  }

  /** Behind a run of `count` records: what comes next, if it is worth that. Answers how many records. */
  printBehind(count: number, maxRecords: number, maxBytes: number): number {
    if (count > SHORT_RECORDS) {
      this.#shortRuns = 0;
      return 0;
    }
    if (++this.#shortRuns < this.#patience) return 0;
    this.#printed = 0;
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
    if (this.#batches.mergeNow?.(this.#take) !== true) return 0;
    if (this.#printed >= USEFUL_RECORDS || this.#out.length >= maxBytes) {
      this.#patience = FIRST_RUNS;
    } else {
      this.#patience = Math.min(2 * this.#patience, MOST_RUNS);
      this.#shortRuns = 0;
    }
    return this.#printed;
  }
}
