/**
 * Rebuilds what belongs to a segment from its `.log`, as Kafka's `LogSegment.recover` does: every batch from a position
 * on is verified (whole, CRC, offsets that rise and fit the segment), and the offset, time and transaction indexes are
 * written again from there. The first batch that fails ends the walk. The `.log` itself is left alone: whether to cut
 * it, and where its tail goes, is for the caller to say.
 *
 * Records inside the batches are not read, nothing is decompressed. Memory is one window, whatever sizes are claimed.
 *
 * A recovery that was interrupted begins again: the indexes are first cut to what the start vouches for.
 */
import { BatchScanner, SEQUENTIAL_WINDOW_BYTES } from './batch-scanner.js';
import { trackBatch } from './control-batches.js';
import type { Awaitable, OpenFile } from './file-system.js';
import { EMPTY_INDEX_STATE, type IndexState, MAX_RELATIVE_OFFSET, SegmentIndexWriter } from './segment-index-writer.js';
import { TransactionIndex } from './transaction-index.js';
import { TransactionTracker } from './transaction-tracker.js';

/** Index entries go to their files after so many batches. */
const BATCHES_PER_FLUSH = 4096;

/** Up to where the segment is known to be good, with the indexes that belong to that point. */
export interface RecoveryStart {
  readonly position: number;
  /** Offset behind the batches before `position`. */
  readonly nextOffset: number;
  readonly index: IndexState;
  readonly transactionIndexSize: number;
}

export interface SegmentToRecover {
  readonly baseOffset: number;
  readonly log: OpenFile;
  /** Bytes of the `.log` to look at: its size. */
  readonly logSize: number;
  /** Open for writing. */
  readonly offsetIndex: OpenFile;
  readonly timeIndex: OpenFile;
  /**
   * Opens the `.txnindex` for writing; `create` false: only if there is one. Left out: the transaction index is not
   * looked at.
   */
  readonly openTransactionIndex?: (create: boolean) => Awaitable<OpenFile | undefined>;
}

export interface RecoveryOptions {
  /** Kafka: `index.interval.bytes`. */
  readonly indexIntervalBytes: number;
  /** Default: the beginning of the segment. */
  readonly start?: RecoveryStart;
  /** The transactions open at the start; left as they are at the end. Default: none. */
  readonly transactions?: TransactionTracker;
  /**
   * Adds the closing entry to the time index, as a broker does after a recovery. Default false: the segment goes on.
   */
  readonly close?: boolean;
  /** Is called at each good batch, before the next is looked at. */
  readonly visit?: (scanner: BatchScanner) => Awaitable<void>;
}

export interface RecoveredSegment {
  /** What stands before this position is whole and good. */
  readonly validBytes: number;
  readonly nextOffset: number;
  /** Largest timestamp, -1 if there is none. */
  readonly maxTimestamp: number;
  readonly index: IndexState;
  readonly transactionIndexSize: number;
  /**
   * Why the walk ended: at the end; in a batch that is not whole; at something that is no good batch; or at a good
   * batch whose offset is too far from the base offset (Kafka splits such a segment, the data is not damaged).
   */
  readonly stop: 'end' | 'partial' | 'corrupt' | 'offset-overflow';
  /** What is wrong with the batch at `validBytes`, unless `stop` is `end` or `partial`. */
  readonly problem: string;
}

export async function recoverSegment(segment: SegmentToRecover, options: RecoveryOptions): Promise<RecoveredSegment> {
  const { baseOffset, offsetIndex, timeIndex } = segment;
  const start = options.start ?? beginningOf(baseOffset);
  const writer = new SegmentIndexWriter(baseOffset, options.indexIntervalBytes, start.index);
  await offsetIndex.truncate(start.index.offsetIndexSize);
  await timeIndex.truncate(start.index.timeIndexSize);
  const aborted = new RecoveredTransactions(segment, start.transactionIndexSize, options.transactions);
  await aborted.truncate();

  const scanner = new BatchScanner(segment.log, segment.logSize, {
    from: start.position,
    minOffset: start.nextOffset,
    windowBytes: SEQUENTIAL_WINDOW_BYTES,
  });
  let { nextOffset } = start;
  let wrong: Pick<RecoveredSegment, 'stop' | 'problem'> | undefined;
  for (let batches = 1; await scanner.next(); batches++) {
    wrong = await whatIsWrong(scanner, baseOffset);
    if (wrong !== undefined) break;
    const { maxTimestamp } = scanner.batch;
    writer.add(scanner.position, scanner.size, scanner.lastOffset, maxTimestamp);
    nextOffset = scanner.nextOffset;
    await aborted.track(scanner);
    if (options.visit !== undefined) await options.visit(scanner);
    if (batches % BATCHES_PER_FLUSH === 0) await writer.flush(offsetIndex, timeIndex);
  }
  if (options.close === true) writer.addTimeEntry();
  await writer.flush(offsetIndex, timeIndex);

  return {
    validBytes: scanner.position,
    nextOffset,
    maxTimestamp: writer.state.maxTimestamp,
    index: writer.state,
    transactionIndexSize: aborted.size,
    ...(wrong ?? { stop: scanner.stop ?? 'end', problem: scanner.problem }),
  };
}

/** Nothing is known yet. */
function beginningOf(baseOffset: number): RecoveryStart {
  return { position: 0, nextOffset: baseOffset, index: EMPTY_INDEX_STATE, transactionIndexSize: 0 };
}

async function whatIsWrong(
  scanner: BatchScanner,
  baseOffset: number,
): Promise<Pick<RecoveredSegment, 'stop' | 'problem'> | undefined> {
  if (!(await scanner.isValid())) return { stop: 'corrupt', problem: 'the CRC of the batch is wrong' };
  if (scanner.lastOffset - baseOffset > MAX_RELATIVE_OFFSET) {
    const problem = `offset ${scanner.lastOffset} is too far from the segment's base offset ${baseOffset}`;
    return { stop: 'offset-overflow', problem };
  }
  try {
    // Fields that the index or the tracker will ask for: beyond 2^53 - 1 they throw.
    void scanner.batch.maxTimestamp;
    void scanner.batch.producerId;
  } catch (error) {
    return { stop: 'corrupt', problem: (error as Error).message };
  }
  return undefined;
}

/** The transaction index while it is rebuilt; it is made when the first entry is due. */
class RecoveredTransactions {
  readonly #open: SegmentToRecover['openTransactionIndex'];
  readonly #tracker: TransactionTracker;
  #index: TransactionIndex | undefined;
  size: number;

  constructor(segment: SegmentToRecover, size: number, tracker = new TransactionTracker()) {
    this.#open = segment.openTransactionIndex;
    this.#tracker = tracker;
    this.size = size;
  }

  async truncate(): Promise<void> {
    const file = await this.#open?.(false);
    if (file === undefined) return;
    await file.truncate(this.size);
    this.#index = new TransactionIndex(file);
  }

  async track(scanner: BatchScanner): Promise<void> {
    const entry = await trackBatch(this.#tracker, scanner);
    if (entry === undefined || this.#open === undefined) return;
    if (this.#index === undefined) {
      const file = await this.#open(true);
      if (file === undefined) return;
      this.#index = new TransactionIndex(file);
    }
    this.size = await this.#index.append([entry], this.size);
  }
}
