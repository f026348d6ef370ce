/**
 * The way of one partition's batches to the disk, in order:
 *
 *   open ──close──▶ closed ──append──▶ in flight ──durable──▶ acknowledged
 *
 * One append at a time, and it takes every closed batch there is, so batches that came while the disk was busy share
 * one lock and one write. While up to {@link MAX_IN_FLIGHT} appends wait for their sync the next batches are filled and
 * appended: the sync of earlier ones overlaps the encoding of later ones.
 *
 * The first failure is the last thing that happens here: whatever was not acknowledged before it fails with it.
 */
import type { Codec } from '../../format/compression.js';
import { storageError } from '../../store/system-error.js';
import type { Acks } from '../producer.js';
import type { Appended, PartitionLog } from './local-store.js';
import type { Permits } from './permits.js';
import type { BatchOwner, ProducerBatch } from './producer-batch.js';
import type { BatchHome, RecordAccumulator } from './record-accumulator.js';

/** Appends of a partition that wait for their sync. */
const MAX_IN_FLIGHT = 4;
/** An append takes no more than this, so that the first batches of a long queue need not wait for the last. */
const MAX_APPEND_BYTES = 8 * 1024 * 1024;

export interface SenderContext {
  readonly accumulator: RecordAccumulator;
  /** For appends, and the syncs that somebody waits for. */
  readonly permits: Permits;
  /** For syncs that nobody waits for: they must not hold up appends. */
  readonly backgroundPermits: Permits;
  readonly acks: Acks;
  readonly openLog: (topic: string, partition: number, topicId: string) => Promise<PartitionLog>;
}

export interface SenderTopic {
  readonly topic: string;
  readonly topicId: string;
  readonly maxMessageBytes: number;
  readonly codec: Codec | undefined;
  /** The open batch of this partition is no longer filled: it had so many records. */
  batchClosed(partition: number, records: number): void;
  /** The partition ends here, as far as is known. */
  endSeen(partition: number, offset: number): void;
}

export class PartitionSender implements BatchHome {
  readonly topic: string;
  readonly partition: number;
  readonly #of: SenderTopic;
  readonly #context: SenderContext;
  #log: PartitionLog | undefined;
  /** It was opened by configs of before. */
  #mustReopen = false;
  #open: ProducerBatch | undefined;
  readonly #closed: ProducerBatch[] = [];
  #appending = false;
  #inFlight = 0;
  /** The open batch goes as soon as the disk is free. */
  #pushed = false;
  /** The open batch goes as soon as nothing is in flight. */
  #lingered = false;
  #acknowledging: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  /** Batches closed, and batches whose fate is known: flush waits for one to reach the other. */
  #closedCount = 0;
  #settledCount = 0;
  readonly #flushing: { readonly until: number; readonly resolve: () => void }[] = [];
  #unsynced: Appended | undefined;
  #syncRun: Promise<void> | undefined;

  constructor(of: SenderTopic, partition: number, context: SenderContext) {
    this.topic = of.topic;
    this.partition = partition;
    this.#of = of;
    this.#context = context;
    context.accumulator.partitionAdded();
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The batch being filled, if there is one. */
  get open(): ProducerBatch | undefined {
    return this.#open;
  }

  /** An open batch of this owner with room for so many bytes. Throws the partition's failure. */
  batchFor(owner: BatchOwner, recordBytes: number, timestamp: number): ProducerBatch {
    const open = this.#open;
    if (open?.hasRoomFor(recordBytes, timestamp) && open.owner === owner) return open;
    if (open !== undefined) this.closeOpen();
    if (this.#failure !== undefined) throw this.#failure;
    const { accumulator } = this.#context;
    const { maxMessageBytes, codec } = this.#of;
    this.#open = accumulator.open(this, owner, recordBytes, maxMessageBytes, codec);
    return this.#open;
  }

  closeOpen(): void {
    this.#pushed = false;
    this.#lingered = false;
    const batch = this.#open;
    if (batch === undefined) return;
    this.#open = undefined;
    batch.isOpen = false;
    batch.recordCount = batch.builder.recordCount;
    this.#of.batchClosed(this.partition, batch.recordCount);
    this.#closedCount++;
    try {
      batch.bytes = batch.builder.build();
      batch.sizeInBytes = batch.bytes.length;
    } catch (error) {
      this.#context.accumulator.closed(batch);
      this.#fail(error, [batch]);
      return;
    }
    this.#context.accumulator.closed(batch);
    this.#closed.push(batch);
    this.#pump();
  }

  /** The topic's configs have changed: what comes now goes by the new ones. */
  configsChanged(): void {
    this.#mustReopen = true;
    this.closeOpen();
  }

  /** Sends the open batch now if the disk is free, else as soon as it is: what comes meanwhile shares the batch. */
  push(): void {
    this.#pushed = true;
    this.#pump();
  }

  /**
   * While earlier appends wait for their sync the batch is filled on: its own sync could not begin before theirs is
   * over, and would be one more.
   */
  lingered(): void {
    this.#lingered = true;
    this.#pump();
  }

  /** Sends what is open and resolves when the fate of all given so far is known. */
  async flush(): Promise<void> {
    this.closeOpen();
    const until = this.#closedCount;
    if (this.#settledCount >= until) return;
    await new Promise<void>((resolve) => {
      this.#flushing.push({ until, resolve });
    });
  }

  /** Resolves when no sync is running that nobody else waits for. */
  async synced(): Promise<void> {
    await this.#syncRun;
  }

  #pump(): void {
    if (this.#appending || this.#inFlight >= MAX_IN_FLIGHT) return;
    const isDue = this.#pushed || (this.#lingered && this.#inFlight === 0);
    if (this.#closed.length === 0 && !isDue) return;
    this.#appending = true;
    this.#context.permits.acquire(() => {
      // Only now: what came while this waited for its turn shares the batch.
      if (this.#pushed || this.#lingered) this.closeOpen();
      void this.#append(this.#takeClosed());
    });
  }

  #takeClosed(): ProducerBatch[] {
    let bytes = 0;
    let count = 0;
    for (const batch of this.#closed) {
      bytes += batch.bytes!.length;
      if (count > 0 && bytes > MAX_APPEND_BYTES) break;
      count++;
    }
    return this.#closed.splice(0, count);
  }

  /** Runs with a permit. Never rejects. */
  async #append(batches: ProducerBatch[]): Promise<void> {
    const { accumulator, permits, acks } = this.#context;
    if (batches.length === 0) {
      // They failed with an earlier one while this waited for its permit.
      this.#appending = false;
      permits.release();
      return;
    }
    let log: PartitionLog;
    let appended: Appended;
    try {
      if (this.#mustReopen) this.#log = undefined;
      this.#mustReopen = false;
      this.#log ??= await this.#context.openLog(this.topic, this.partition, this.#of.topicId);
      log = this.#log;
      appended = await log.append(batches.map((batch) => batch.bytes!));
    } catch (error) {
      this.#appending = false;
      permits.release();
      this.#fail(error, batches);
      return;
    }
    this.#appending = false;
    this.#of.endSeen(this.partition, appended.lastOffset + 1);
    for (const batch of batches) accumulator.released(batch);
    if (acks === 'all') {
      this.#inFlight++;
      const durable = log.durable(appended);
      const before = this.#acknowledging;
      this.#acknowledging = this.#whenDurable(durable, before, batches, appended);
    } else {
      permits.release();
      this.#acknowledge(batches, appended);
      this.#syncBehind(log, appended);
    }
    this.#pump();
  }

  async #whenDurable(
    durable: Promise<void>,
    before: Promise<void>,
    batches: ProducerBatch[],
    appended: Appended,
  ): Promise<void> {
    let failure: unknown;
    try {
      await durable;
    } catch (error) {
      failure = error;
    }
    await before;
    this.#inFlight--;
    this.#context.permits.release();
    if (this.#failure !== undefined) this.#fail(this.#failure, batches);
    else if (failure !== undefined) this.#fail(failure, batches);
    else this.#acknowledge(batches, appended);
    this.#pump();
  }

  #acknowledge(batches: readonly ProducerBatch[], appended: Appended): void {
    let baseOffset = appended.baseOffset;
    for (const batch of batches) {
      batch.acknowledge(baseOffset, appended.appendTime);
      baseOffset += batch.recordCount;
    }
    this.#settled(batches.length);
  }

  /** Nobody waits for this sync, but readers see nothing before it: one at a time, each for the latest there is. */
  #syncBehind(log: PartitionLog, appended: Appended): void {
    this.#unsynced = appended;
    this.#syncRun ??= new Promise((resolve) => {
      this.#context.backgroundPermits.acquire(() => {
        void this.#syncLatest(log).then(resolve);
      });
    });
  }

  async #syncLatest(log: PartitionLog): Promise<void> {
    try {
      while (this.#unsynced !== undefined && this.#failure === undefined) {
        const latest = this.#unsynced;
        this.#unsynced = undefined;
        await log.durable(latest);
      }
    } catch (error) {
      this.#fail(error, []);
    } finally {
      this.#syncRun = undefined;
      this.#context.backgroundPermits.release();
    }
  }

  /** Of several failures the first counts; the batches of this one and all that come later share it. */
  #fail(error: unknown, batches: readonly ProducerBatch[]): void {
    this.#failure ??= storageError(error, `cannot write to ${this.topic}:${this.partition}`, {
      topic: this.topic,
      partition: this.partition,
    });
    const open = this.#open;
    this.#open = undefined;
    const lost = [...batches, ...this.#closed.splice(0)];
    if (open !== undefined) {
      open.isOpen = false;
      this.#closedCount++;
      this.#context.accumulator.closed(open);
      lost.push(open);
    }
    for (const batch of lost) {
      this.#context.accumulator.released(batch);
      batch.fail(this.#failure);
    }
    this.#settled(lost.length);
  }

  #settled(batches: number): void {
    this.#settledCount += batches;
    while (this.#flushing.length > 0 && this.#flushing[0]!.until <= this.#settledCount) {
      this.#flushing.shift()!.resolve();
    }
  }
}
