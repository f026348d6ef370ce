/**
 * One partition of `__consumer_offsets` as a process sees it: what its records add up to, and the one way to add some.
 * A decision is taken under the append lock, on everything that was appended before; those that wait for the lock are
 * taken in one hold, one after the other, each on what the one before has decided, and are one batch.
 */
import { KlogError } from '../errors.js';
import { BatchReader } from './batch-reader.js';
import { type Change, Draft } from './group-draft.js';
import type { GroupState } from './group-state.js';
import { GroupTable, type GroupView } from './group-table.js';
import type { AppendedRecords, OffsetsLog, OffsetsReader } from './offsets-partition.js';

export type { Change } from './group-draft.js';

const FETCH_BYTES = 1024 * 1024;
/** A follower looks at the latest so often, should it have missed a change. */
const FOLLOW_MS = 1000;

/** `undefined`: nothing is to be said. It may be asked again, on another state. What it throws its caller is told. */
export type GroupDecision = (group: GroupView) => Change | undefined;

export interface GroupLogSeams {
  readonly now: () => number;
}

export interface DecideOptions {
  /** Whether its end is awaited, too. Default true. */
  readonly durable?: boolean;
  /** Awaited under the append lock, before the decision is asked for. What it rejects with its caller is told. */
  readonly before?: (() => Promise<void>) | undefined;
}

interface Waiting extends DecideOptions {
  readonly groupId: string;
  readonly decide: GroupDecision;
  readonly durable: boolean;
  readonly done: (appended: AppendedRecords | undefined) => void;
  readonly failed: (error: unknown) => void;
}

class ReadSoFar {
  readonly table = new GroupTable();
  readonly batches = new BatchReader();
  /** Of the records in the table. */
  nextOffset = 0;
}

export class GroupLog {
  readonly #log: OffsetsLog;
  readonly #reader: OffsetsReader;
  readonly #seams: GroupLogSeams;
  #read = new ReadSoFar();
  readonly #listeners = new Set<() => void>();
  #waiting: Waiting[] = [];
  #isDraining = false;
  #cutCount = 0;
  #last: Promise<unknown> = Promise.resolve();
  #following: AbortController | undefined;
  /** Why the log cannot be followed any more. */
  #failure: unknown;
  #isClosed = false;

  constructor(log: OffsetsLog, reader: OffsetsReader, seams: GroupLogSeams) {
    this.#log = log;
    this.#reader = reader;
    this.#seams = seams;
  }

  /** As far as it was read. */
  group(groupId: string): GroupView {
    return this.#read.table.group(groupId);
  }

  state(groupId: string): GroupState {
    return this.#read.table.state(groupId);
  }

  get table(): GroupTable {
    return this.#read.table;
  }

  /** Throws why the log cannot be followed any more. */
  assertReadable(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Reads what has become durable since. One small read when that is nothing. */
  async refresh(): Promise<void> {
    if (await this.#alone(() => this.#catchUpToSafe())) this.#changed();
  }

  /** The same with what was appended and is not durable yet: for who undoes what others have said. */
  async refreshAppended(): Promise<void> {
    await this.refresh();
    const { logEndOffset } = await this.#reader.marks();
    // Any decision is taken on all of it.
    if (logEndOffset > this.#read.nextOffset) await this.decide('', () => undefined);
  }

  /** Resolves when everything in the table survives a power loss, or has been cut off. */
  async untilSafe(): Promise<void> {
    const { nextOffset } = this.#read;
    const isSafe = () => {
      const beyond = Math.min(nextOffset, this.#read.nextOffset) - 1;
      return this.#reader.waitForMore(beyond, { timeoutMs: FOLLOW_MS });
    };
    while (!(await isSafe())) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isClosed) throw new KlogError('KLOG_CLOSED', 'the groups are closed');
    }
  }

  /**
   * Takes a decision about a group, and appends what it says. Resolves with where, when that is durable (or, if
   * `durable` is false, appended); with `undefined` if nothing was to be said. Rejects with what `decide` throws.
   */
  decide(groupId: string, decide: GroupDecision, { durable = true, before }: DecideOptions = {}) {
    return new Promise<AppendedRecords | undefined>((done, failed) => {
      this.#waiting.push({ groupId, decide, durable, before, done, failed });
      if (!this.#isDraining) void this.#drain();
    });
  }

  /** Calls `listener` after changes, until the answer is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#following === undefined) {
      this.#failure = undefined;
      this.#following = new AbortController();
      void this.#follow(this.#following.signal);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#following?.abort();
      this.#following = undefined;
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
    this.#following?.abort();
    this.#following = undefined;
    await this.#last;
    await this.#reader.close();
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    // All that is asked for in this turn goes into one batch: the members of a process release together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const taken = this.#waiting;
      this.#waiting = [];
      await this.#decideAll(taken);
    }
    this.#isDraining = false;
  }

  async #decideAll(taken: readonly Waiting[]): Promise<void> {
    let accepted: Waiting[] = [];
    try {
      const appended = await this.#alone(async () => {
        let draft = new Draft(this.#read.table);
        const before = this.#read;
        const { nextOffset } = before;
        const appended = await this.#log.appendDecided(async (end) => {
          await this.#catchUp(end, end.offset, end.cutCount);
          draft = new Draft(this.#read.table);
          accepted = [];
          for (const waiting of taken) if (await this.#decideOne(waiting, draft)) accepted.push(waiting);
          return draft.isEmpty ? [] : [draft.build(this.#seams.now())];
        });
        if (appended !== undefined) {
          draft.writeTo(this.#read.table);
          this.#read.nextOffset = appended.lastOffset + 1;
        }
        if (this.#read !== before || before.nextOffset !== nextOffset) this.#changed();
        return appended;
      });
      if (appended === undefined) return;
      for (const waiting of accepted) if (!waiting.durable) waiting.done(appended);
      // The next decisions need not wait for the disk.
      void this.#makeDurable(
        appended,
        accepted.filter((waiting) => waiting.durable),
      );
    } catch (error) {
      // Those that were refused, or had nothing to say, have been told.
      for (const waiting of accepted.length > 0 ? accepted : taken) waiting.failed(error);
    }
  }

  async #makeDurable(appended: AppendedRecords, waiting: readonly Waiting[]): Promise<void> {
    if (waiting.length === 0) return;
    try {
      await this.#log.durable(appended);
      for (const { done } of waiting) done(appended);
    } catch (error) {
      for (const { failed } of waiting) failed(error);
    }
  }

  /** True: what it said is in the draft. Else its caller has been answered. */
  async #decideOne({ groupId, decide, before, done, failed }: Waiting, draft: Draft): Promise<boolean> {
    try {
      await before?.();
      const change = decide(draft.group(groupId));
      if (change !== undefined && draft.add(groupId, change)) return true;
      done(undefined);
    } catch (error) {
      failed(error);
    }
    return false;
  }

  /** Whether there was something new. */
  async #catchUpToSafe(): Promise<boolean> {
    const { logStartOffset, highWatermark, cutCount } = await this.#reader.marks();
    if (highWatermark <= this.#read.nextOffset && cutCount <= this.#cutCount) return false;
    const fetch = (offset: number, maxBytes: number) => this.#reader.fetch(offset, maxBytes);
    await this.#catchUp({ logStartOffset, fetch }, highWatermark, cutCount);
    return true;
  }

  /** Reads up to `end`: from the log's start if what was read may have been cut off. */
  async #catchUp(
    from: { readonly logStartOffset: number; fetch: OffsetsReader['fetch'] },
    end: number,
    cutCount: number,
  ): Promise<void> {
    // Until all is read anew the old stands: whoever looks meanwhile must not take half of it for the whole.
    const read = cutCount > this.#cutCount ? new ReadSoFar() : this.#read;
    read.nextOffset = Math.max(read.nextOffset, from.logStartOffset);
    while (read.nextOffset < end) {
      const block = await from.fetch(read.nextOffset, FETCH_BYTES);
      if (block.nextOffset <= read.nextOffset) break;
      await read.batches.apply(block, read.table);
      read.nextOffset = block.nextOffset;
    }
    this.#read = read;
    this.#cutCount = Math.max(cutCount, this.#cutCount);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#reader.waitForMore(this.#read.nextOffset, { signal, timeoutMs: FOLLOW_MS });
        if (!signal.aborted) await this.refresh();
      } catch (error) {
        if (signal.aborted) return;
        this.#failure = error;
        // Who listens next has it followed again.
        this.#following = undefined;
        this.#changed();
        return;
      }
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** One after the other: the table is read and changed by one at a time. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
