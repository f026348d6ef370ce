import type { ConsumerBatch, TopicPartition } from '../../clients/client.js';
import type { ConsumerBatches } from '../../clients/consumer.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import type { Output } from '../output.js';
import { describeBatch, emptyContext, type FormatContext } from '../record-format/format-context.js';
import { OutputBuffer } from '../record-format/output-buffer.js';
import type { RecordPrinter } from '../record-format/record-printer.js';
import { MergedPrinting } from './merged-printing.js';

/** Whether a record is wanted. `partition` is where it comes from. */
export type RecordFilter = (cursor: RecordCursor, context: FormatContext) => boolean;

export interface PrintTask {
  readonly printer: RecordPrinter;
  readonly output: Output;
  readonly filter?: RecordFilter | undefined;
  /** Default: all. */
  readonly maxRecords?: number | undefined;
  /** Of the same command, by an earlier task: `%i` counts on. Default 0. */
  readonly printedBefore?: number | undefined;
  /** Counts the records as they are printed. */
  readonly tally?: { records: number } | undefined;
  /** Awaited behind each record that was printed. */
  readonly afterEach?: (() => Promise<void>) | undefined;
  /** Whether {@link RecordPrinting.printed} is wanted. Default false. */
  readonly remembersPlaces?: boolean | undefined;
}

/** Printed at a time before it goes to the output. */
const BLOCK_BYTES = 128 * 1024;

/** Prints batches as they come, and everything that came before a failure. Answers how many records were printed. */
export function printRecords(batches: ConsumerBatches, task: PrintTask): Promise<number> {
  return new RecordPrinting(task).run(batches);
}

/** How far a partition was printed. */
export interface PrintedPartition extends TopicPartition {
  /** Behind the last record that was printed, or dropped by the filter. */
  readonly offset: number;
}

export interface BatchInHand extends TopicPartition {
  /** As of {@link PrintedPartition}; `undefined`: nothing of the partition was printed since it was forgotten. */
  readonly offset: number | undefined;
}

/** The printing of one run, and how far it has come. */
export class RecordPrinting {
  readonly #task: PrintTask;
  readonly #out = new OutputBuffer();
  readonly #printed = new Map<string, PrintedPartition>();
  /** The batch that is being printed. */
  #inHand: BatchInHand | undefined;

  constructor(task: PrintTask) {
    this.#task = task;
  }

  async run(batches: ConsumerBatches): Promise<number> {
    const { printer, output, filter, afterEach, maxRecords = Number.POSITIVE_INFINITY } = this.#task;
    const { tally = { records: 0 }, remembersPlaces = false } = this.#task;
    const out = this.#out;
    const context = emptyContext();
    context.recordNumber = this.#task.printedBefore ?? 0;
    const step = filter === undefined ? printer.printBatch : filtered(printer, filter);
    const isOneByOne = output.isImmediate || afterEach !== undefined;
    const isPlain = filter === undefined && !isOneByOne && !remembersPlaces;
    const canMerge = isPlain && printer.printMerged !== undefined && batches.mergeNow !== undefined;
    const merged = canMerge ? new MergedPrinting(batches, printer, context, out) : undefined;
    printer.begin?.(out);
    try {
      if (maxRecords <= 0) return 0;
      for await (const first of batches) {
        for (let batch: ConsumerBatch | undefined = first; batch !== undefined; batch = batches.nextNow?.()) {
          const { cursor } = batch;
          describeBatch(batch, context);
          if (remembersPlaces) this.#begin(batch);
          for (;;) {
            const wanted = isOneByOne ? 1 : maxRecords - tally.records;
            const count = step(cursor, context, out, wanted, BLOCK_BYTES);
            tally.records += count;
            const isDone = count < wanted && out.length < BLOCK_BYTES;
            if (remembersPlaces) this.#advance(batch, isDone);
            if (out.length >= BLOCK_BYTES || isOneByOne) await this.#emit();
            if (afterEach !== undefined && count > 0) await afterEach();
            if (tally.records >= maxRecords || output.isClosed) return tally.records;
            if (!isDone) continue;
            if (merged !== undefined) {
              tally.records += merged.printBehind(count, maxRecords - tally.records, BLOCK_BYTES);
              if (out.length >= BLOCK_BYTES) await this.#emit();
              if (tally.records >= maxRecords || output.isClosed) return tally.records;
            }
            break;
          }
        }
      }
    } finally {
      await this.#emit();
    }
    return tally.records;
  }

  /** How far each partition was printed; all of it is written once the output is flushed by {@link flush}. */
  get printed(): readonly PrintedPartition[] {
    return [...this.#printed.values()];
  }

  /** How far the batch in hand was printed, where that is not all of it, as after a failure. */
  get inHand(): BatchInHand | undefined {
    return this.#inHand;
  }

  /** Whether it was printed, and not forgotten. */
  knows({ topic, partition }: TopicPartition): boolean {
    return this.#printed.has(`${topic}-${partition}`);
  }

  forget({ topic, partition }: TopicPartition): void {
    this.#printed.delete(`${topic}-${partition}`);
  }

  /** Waits until everything printed so far is written. */
  async flush(): Promise<void> {
    const { output } = this.#task;
    await this.#emit();
    await output.flush();
  }

  #begin({ topic, partition, cursor }: ConsumerBatch): void {
    // What it says is the last batch's until it has moved.
    cursor.offset = Number.NaN;
    this.#inHand = { topic, partition, offset: this.#printed.get(`${topic}-${partition}`)?.offset };
  }

  #advance({ topic, partition, cursor }: ConsumerBatch, isDone: boolean): void {
    if (!Number.isNaN(cursor.offset)) {
      const place = { topic, partition, offset: cursor.offset + 1 };
      this.#printed.set(`${topic}-${partition}`, place);
      this.#inHand = place;
    }
    if (isDone) this.#inHand = undefined;
  }

  async #emit(): Promise<void> {
    const { output } = this.#task;
    const out = this.#out;
    if (out.length === 0) return;
    output.append(out.buffer, 0, out.length);
    out.clear();
    if (!output.endRecord()) await output.drain();
  }
}

function filtered(printer: RecordPrinter, filter: RecordFilter): RecordPrinter['printBatch'] {
  return (cursor, context, out, maxRecords, maxBytes) => {
    let printed = 0;
    while (printed < maxRecords && out.length < maxBytes && cursor.next()) {
      if (!filter(cursor, context)) continue;
      context.recordNumber++;
      printer.print(cursor, context, out);
      printed++;
    }
    return printed;
  };
}
