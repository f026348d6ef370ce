/**
 * Kafka's rule of which batches are indexed, in its one place (`LogSegment.append`):
 *
 * ```
 * for each appended batch:
 *   if batch.maxTimestamp > maxTimestamp:  maxTimestamp, offsetOfMaxTimestamp = batch.maxTimestamp, batch.lastOffset
 *   if bytesSinceIndex > index.interval.bytes:          strictly, and before this batch's size is added
 *     offset index += (batch.lastOffset, position of the batch)
 *     time index   += (maxTimestamp, offsetOfMaxTimestamp)   if later than its last entry
 *     bytesSinceIndex = 0
 *   bytesSinceIndex += size of the batch
 * when the segment is closed:
 *   time index += (maxTimestamp, offsetOfMaxTimestamp)       if later than its last entry
 * ```
 *
 * A broker begins at bytesSinceIndex = 0 whenever it opens a log. klog's processes live for a moment, and would then
 * never index anything: here the state is a plain value that one process leaves to the next, and a segment written by
 * many processes has the indexes of one written at once, which are those that a recovery rebuilds.
 */
import { KlogError } from '../errors.js';
import { type OpenFile, writeFully } from './file-system.js';
import { encodeOffsetIndexEntry, OFFSET_INDEX_ENTRY_SIZE } from './offset-index.js';
import { encodeTimeIndexEntry, TIME_INDEX_ENTRY_SIZE } from './time-index.js';

/** How far the indexes of a segment have come, at one position of its `.log`. A value: never changed in place. */
export interface IndexState {
  /** Bytes of batches from the last indexed one on, that one included. */
  readonly bytesSinceIndex: number;
  /** Largest timestamp of the segment so far, -1 if there is none. */
  readonly maxTimestamp: number;
  /** Last offset of the batch in which `maxTimestamp` came first, -1 if there is none. */
  readonly offsetOfMaxTimestamp: number;
  /** Timestamp of the time index's last entry, -1 if it is empty. */
  readonly lastTimeIndexTimestamp: number;
  /** Bytes of the `.index` that are entries. */
  readonly offsetIndexSize: number;
  /** Bytes of the `.timeindex` that are entries. */
  readonly timeIndexSize: number;
}

export const EMPTY_INDEX_STATE: IndexState = Object.freeze({
  bytesSinceIndex: 0,
  maxTimestamp: -1,
  offsetOfMaxTimestamp: -1,
  lastTimeIndexTimestamp: -1,
  offsetIndexSize: 0,
  timeIndexSize: 0,
});

/** Largest distance of an offset from its segment's base offset, and largest position in a segment. */
export const MAX_RELATIVE_OFFSET = 0x7fffffff;

const INITIAL_PENDING_ENTRIES = 16;

/**
 * Whether the segment must be rolled because an index has no room. One slot of the time index is for the last entry.
 */
export function indexesAreFull(state: IndexState, segmentIndexBytes: number): boolean {
  return (
    state.offsetIndexSize >= Math.floor(segmentIndexBytes / OFFSET_INDEX_ENTRY_SIZE) * OFFSET_INDEX_ENTRY_SIZE ||
    state.timeIndexSize >= (Math.floor(segmentIndexBytes / TIME_INDEX_ENTRY_SIZE) - 1) * TIME_INDEX_ENTRY_SIZE
  );
}

/**
 * Decides for each batch, keeps the entries that fall due, and writes them when told: one write an index for all the
 * batches of an append. `state` is always that with the pending entries written.
 */
export class SegmentIndexWriter {
  readonly #baseOffset: number;
  readonly #indexIntervalBytes: number;
  #bytesSinceIndex = 0;
  #maxTimestamp = -1;
  #offsetOfMaxTimestamp = -1;
  #lastTimeIndexTimestamp = -1;
  #offsetIndexSize = 0;
  #timeIndexSize = 0;
  #pendingOffsets = Buffer.allocUnsafe(INITIAL_PENDING_ENTRIES * OFFSET_INDEX_ENTRY_SIZE);
  #pendingOffsetBytes = 0;
  #pendingTimes = Buffer.allocUnsafe(INITIAL_PENDING_ENTRIES * TIME_INDEX_ENTRY_SIZE);
  #pendingTimeBytes = 0;

  constructor(baseOffset: number, indexIntervalBytes: number, state: IndexState = EMPTY_INDEX_STATE) {
    this.#baseOffset = baseOffset;
    this.#indexIntervalBytes = indexIntervalBytes;
    this.restore(state);
  }

  get state(): IndexState {
    return {
      bytesSinceIndex: this.#bytesSinceIndex,
      maxTimestamp: this.#maxTimestamp,
      offsetOfMaxTimestamp: this.#offsetOfMaxTimestamp,
      lastTimeIndexTimestamp: this.#lastTimeIndexTimestamp,
      offsetIndexSize: this.#offsetIndexSize,
      timeIndexSize: this.#timeIndexSize,
    };
  }

  get hasPending(): boolean {
    return this.#pendingOffsetBytes > 0 || this.#pendingTimeBytes > 0;
  }

  /** Goes on from `state`, and drops what is pending: after a failed append, or when another process wrote. */
  restore(state: IndexState): void {
    this.#bytesSinceIndex = state.bytesSinceIndex;
    this.#maxTimestamp = state.maxTimestamp;
    this.#offsetOfMaxTimestamp = state.offsetOfMaxTimestamp;
    this.#lastTimeIndexTimestamp = state.lastTimeIndexTimestamp;
    this.#offsetIndexSize = state.offsetIndexSize;
    this.#timeIndexSize = state.timeIndexSize;
    this.#pendingOffsetBytes = 0;
    this.#pendingTimeBytes = 0;
  }

  /** Takes note of a batch that stands at `position`. `maxTimestamp` is -1 if it has none. */
  add(position: number, sizeInBytes: number, lastOffset: number, maxTimestamp: number): void {
    if (maxTimestamp > this.#maxTimestamp) {
      this.#maxTimestamp = maxTimestamp;
      this.#offsetOfMaxTimestamp = lastOffset;
    }
    if (this.#bytesSinceIndex > this.#indexIntervalBytes) {
      this.#addOffsetEntry(lastOffset, position);
      this.addTimeEntry();
      this.#bytesSinceIndex = 0;
    }
    this.#bytesSinceIndex += sizeInBytes;
  }

  /** What a segment gets when it is closed (rolled, or ended in good order): its largest timestamp, if that is news. */
  addTimeEntry(): void {
    if (this.#maxTimestamp <= this.#lastTimeIndexTimestamp) return;
    const at = this.#pendingTimeBytes;
    this.#pendingTimes = withRoom(this.#pendingTimes, at, TIME_INDEX_ENTRY_SIZE);
    encodeTimeIndexEntry(this.#pendingTimes, at, this.#maxTimestamp, this.#relative(this.#offsetOfMaxTimestamp));
    this.#pendingTimeBytes = at + TIME_INDEX_ENTRY_SIZE;
    this.#timeIndexSize += TIME_INDEX_ENTRY_SIZE;
    this.#lastTimeIndexTimestamp = this.#maxTimestamp;
  }

  /** Writes the pending entries, to the places that the state gives them. Not synced. */
  async flush(offsetIndex: OpenFile, timeIndex: OpenFile): Promise<void> {
    const offsetBytes = this.#pendingOffsetBytes;
    const timeBytes = this.#pendingTimeBytes;
    if (offsetBytes > 0) {
      await writeFully(offsetIndex, this.#pendingOffsets, 0, offsetBytes, this.#offsetIndexSize - offsetBytes);
    }
    if (timeBytes > 0) {
      await writeFully(timeIndex, this.#pendingTimes, 0, timeBytes, this.#timeIndexSize - timeBytes);
    }
    this.#pendingOffsetBytes = 0;
    this.#pendingTimeBytes = 0;
  }

  #addOffsetEntry(lastOffset: number, position: number): void {
    const at = this.#pendingOffsetBytes;
    this.#pendingOffsets = withRoom(this.#pendingOffsets, at, OFFSET_INDEX_ENTRY_SIZE);
    encodeOffsetIndexEntry(this.#pendingOffsets, at, this.#relative(lastOffset), position);
    this.#pendingOffsetBytes = at + OFFSET_INDEX_ENTRY_SIZE;
    this.#offsetIndexSize += OFFSET_INDEX_ENTRY_SIZE;
  }

  #relative(offset: number): number {
    const relative = offset - this.#baseOffset;
    if (relative >= 0 && relative <= MAX_RELATIVE_OFFSET) return relative;
    throw new KlogError('KLOG_INTERNAL', `offset ${offset} is out of reach of the segment ${this.#baseOffset}`, {
      offset,
      hint: 'this is a defect of klog: a new segment should have begun before',
    });
  }
}

function withRoom(buffer: Buffer<ArrayBuffer>, used: number, more: number): Buffer<ArrayBuffer> {
  if (used + more <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(buffer.length * 2);
  larger.set(buffer.subarray(0, used));
  return larger;
}
