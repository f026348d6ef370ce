import { setMaxListeners } from 'node:events';
import type { ConsumerBatch, TopicPartition } from '../clients/client.js';
import { partitionName } from '../clients/partition-name.js';
import type { RecordCursor } from '../format/record-cursor.js';
import { FinishedOffsets } from './finished-offsets.js';
import type { HandledRecord, Handler } from './handler.js';
import { OrderedWork } from './ordered-work.js';
import { handleWithRetries, type RetryOptions } from './retries.js';

export interface FinalFailure {
  readonly reason: string;
  readonly attempts: number;
}

export interface HandleOptions {
  readonly handler: Handler;
  /** How often a failed record is tried again. */
  readonly retries: number;
  /**
   * Records in the handler's hands at the same time. Those of one key (keyless ones: of one partition) keep their
   * order.
   */
  readonly maxInFlight: number;
  /** What the handler reads of the record the cursor stands on, in memory of its own. Default: the value. */
  readonly inputOf?: ((cursor: RecordCursor, batch: ConsumerBatch) => Uint8Array) | undefined;
  /** Only these; the others count as done. */
  readonly isWanted?: ((cursor: RecordCursor, batch: ConsumerBatch) => boolean) | undefined;
  readonly maxRecords?: number | undefined;
  /** A record has had its attempts. Resolves when it counts as done all the same; a rejection stops everything. */
  readonly giveUp: (record: HandledRecord, failure: FinalFailure) => Promise<void>;
  /**
   * Everything of the partition below `nextOffset` is done. The next record of the same lane waits for it. `isDropped`:
   * nothing was handled, only passed over, so that there is no hurry.
   */
  readonly commit?: ((place: TopicPartition, nextOffset: number, isDropped: boolean) => Promise<void>) | undefined;
  /** Aborts when klog shall stop: nothing more begins, and what is not acknowledged by then stays undone. */
  readonly signal: AbortSignal;
  /** Aborted when a record stops everything: the batches shall end, even where they wait for records. */
  readonly stop: AbortController;
  readonly pause?: RetryOptions['pause'];
  /** An attempt has failed, and there will be another. */
  readonly onRetry?: RetryOptions['onRetry'];
}

export interface HandledCounts {
  /** Acknowledged. */
  handled: number;
  /** Not acknowledged, and done all the same. */
  givenUp: number;
  /** Handed out by the batches and wanted. */
  taken: number;
}

const NOTHING = new Uint8Array(0);

/** Gives each record to a handler. */
export class RecordHandling {
  readonly #options: HandleOptions;
  readonly #counts: HandledCounts;
  readonly #work: OrderedWork<HandledRecord>;
  readonly #offsets = new FinishedOffsets();
  /** No attempt begins any more: klog was told to stop, or has to. */
  readonly #over: AbortSignal;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: HandleOptions, counts: HandledCounts = { handled: 0, givenUp: 0, taken: 0 }) {
    this.#options = options;
    this.#counts = counts;
    this.#work = new OrderedWork({ maxInFlight: options.maxInFlight, work: (record) => this.#handle(record) });
    this.#over = AbortSignal.any([options.signal, options.stop.signal]);
    // Each record in flight listens: a hundred are no leak.
    setMaxListeners(0, options.signal, this.#over);
  }

  /**
   * Resolves when all are done, or klog was told to stop; rejects with what stopped it. Either way what was in flight
   * has come to its end, and everything that is done without a gap has been committed.
   */
  async run(batches: AsyncIterable<ConsumerBatch>): Promise<HandledCounts> {
    const { handler } = this.#options;
    const cancel = () => this.#work.cancel();
    this.#over.addEventListener('abort', cancel, { once: true });
    void handler.broken?.then((error) => this.#fail(error));
    try {
      await this.#takeAll(batches);
    } catch (error) {
      this.#fail(error);
    }
    await this.#work.settle();
    try {
      await handler.close(this.#failure !== undefined);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#counts;
  }

  /** Resolves when everything taken of these partitions has come to its end, and forgets how far they have come. */
  async release(partitions: readonly TopicPartition[]): Promise<void> {
    const names = new Set(partitions.map(partitionName));
    await this.#work.settle((record) => names.has(partitionName(record)));
    for (const partition of partitions) this.#offsets.forget(partition);
  }

  /** What becomes of these partitions' records is nobody's business any more: nothing of them is committed. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#offsets.forget(partition);
  }

  async #takeAll(batches: AsyncIterable<ConsumerBatch>): Promise<void> {
    const { isWanted, maxRecords = Number.POSITIVE_INFINITY } = this.#options;
    const isOver = () => this.#over.aborted || this.#counts.taken >= maxRecords;
    if (isOver()) return;
    for await (const batch of batches) {
      const { cursor } = batch;
      let hasPassed = false;
      while (!isOver() && cursor.next()) {
        if (isWanted === undefined || isWanted(cursor, batch)) {
          await this.#take(batch);
        } else {
          this.#offsets.pass(batch, cursor.offset);
          hasPassed = true;
        }
      }
      if (hasPassed) await this.#commit(batch, true);
      if (isOver()) return;
    }
  }

  async #take(batch: ConsumerBatch): Promise<void> {
    const { cursor, topic, partition } = batch;
    const own = cursor.toRecord();
    const input = this.#options.inputOf?.(cursor, batch) ?? own.value ?? NOTHING;
    const record: HandledRecord = { ...own, topic, partition, input };
    this.#counts.taken += 1;
    this.#offsets.begin(record, record.offset);
    await this.#work.add(laneOf(record), record, input.length);
  }

  /** Never rejects: what goes wrong stops everything. */
  async #handle(record: HandledRecord): Promise<void> {
    const { handler, giveUp, retries, pause, onRetry } = this.#options;
    try {
      const outcome = await handleWithRetries(handler, record, { retries, pause, onRetry, signal: this.#over });
      if (outcome === 'stopped') return;
      if (outcome === 'acknowledged') {
        this.#counts.handled += 1;
      } else {
        await giveUp(record, outcome);
        this.#counts.givenUp += 1;
      }
      this.#offsets.finish(record, record.offset);
      await this.#commit(record, false);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #commit(place: TopicPartition, isDropped: boolean): Promise<void> {
    const next = this.#offsets.next(place);
    if (next !== undefined) await this.#options.commit?.(place, next, isDropped);
  }

  /** The first failure is the one to tell. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#options.stop.abort();
  }
}

/** Records of one lane keep their order. */
function laneOf(record: HandledRecord): string {
  const { key } = record;
  const place = partitionName(record);
  return key === null ? place : `${place}:${Buffer.from(key).toString('latin1')}`;
}
