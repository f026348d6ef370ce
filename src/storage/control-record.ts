/**
 * One record of `klog.end`: how far a partition has come. Pure: bytes ↔ values.
 *
 * A record fills one slot of 256 bytes; big-endian like everything beside it.
 *
 * ```
 *   0  u32 magic "klge"              4  u16 version 1          6  u16 flags, bit 0: swappedBase is there
 *   8  i64 sequence                 raised by each write; the newest valid slot has the highest
 *  16  i64 offset                   next offset; what is below it is covered by this record
 *  24  i64 segmentBase              the segment that ends at `position`
 *  32  i64 position                 bytes of that segment's .log
 *  40  i64 lastStableOffset         48  i64 firstUnstableProducerId (-1 none)
 *  56  i64 transactionIndexSize     64  i64 logStartOffset
 *  72  u32 layoutVersion            odd while files are swapped
 *  76  u32 cutCount                 raised whenever `offset` of A goes back
 *  80  i32 leaderEpoch              84  u32 swappedBase, high   low at 248: what is exchanged (segment-swap.ts)
 *  88  i64 firstTimestamp           largest timestamp of the segment's first batch, -1 none: rolling by segment.ms
 *  96  i64 segmentCreatedMs
 * 104  index state at `position`    36 bytes, below
 * 140  i64 checkpointPosition       up to here .index and .timeindex are known to be on the disk …
 * 148  index state at that position … with this state
 * 184  i64 checkpointMs             when that was (wall clock)
 * 192  16 bytes boot id             the boot in which it was written; zeros in A
 * 208  i64 identity of klog.end     (control-file.ts) another one: the directory is a copy; 0 in A
 * 216  i64 firstDirtyOffset         compaction: below it every record was held against all others below it; 0 none was
 * 224  i64 upkeepMs                 clock guard: wall clock, and time since boot, when upkeep last believed it; 0 never
 * 232  i64 upkeepUptimeMs
 * 240  u32 upkeepBoot               CRC-32C of the boot id of that time
 * 244  u32 clockDistrust            time since boot, in seconds, until which the clock is not believed; 0 it is
 * 248  u32 swappedBase, low
 * 252  u32 crc32c of bytes 0–251
 *
 * index state: i32 bytesSinceIndex, i64 maxTimestamp, i64 offsetOfMaxTimestamp, i64 lastTimeIndexTimestamp,
 *              i32 offsetIndexSize, i32 timeIndexSize
 * ```
 */
import { crc32c } from '../format/crc32c.js';
import { readInt64, writeInt64 } from '../format/int64.js';
import { EMPTY_INDEX_STATE, type IndexState } from './segment-index-writer.js';

export const CONTROL_RECORD_SIZE = 256;
const MAGIC = 0x6b6c6765;
const VERSION = 1;
const SEQUENCE_AT = 8;
const INDEX_STATE_AT = 104;
const CHECKPOINT_AT = 140;
const CHECKPOINT_STATE_AT = 148;
const BOOT_ID_AT = 192;
const BOOT_ID_SIZE = 16;
const IDENTITY_AT = 208;
const FLAGS_AT = 6;
const SWAPPED_BASE_FLAG = 1;
const SWAPPED_BASE_HIGH_AT = 84;
const SWAPPED_BASE_LOW_AT = 248;
const CRC_AT = 252;

export interface ControlRecord {
  sequence: number;
  offset: number;
  segmentBase: number;
  position: number;
  lastStableOffset: number;
  firstUnstableProducerId: number;
  transactionIndexSize: number;
  logStartOffset: number;
  layoutVersion: number;
  cutCount: number;
  leaderEpoch: number;
  firstTimestamp: number;
  segmentCreatedMs: number;
  index: IndexState;
  checkpointPosition: number;
  checkpointIndex: IndexState;
  checkpointMs: number;
  bootId: Uint8Array;
  identity: number;
  firstDirtyOffset: number;
  upkeepMs: number;
  upkeepUptimeMs: number;
  upkeepBoot: number;
  clockDistrust: number;
  /** -1: none. */
  swappedBase: number;
}

const NO_BOOT = new Uint8Array(BOOT_ID_SIZE);

/** The record of an empty partition that begins at `logStartOffset`. */
export function firstControlRecord(logStartOffset: number, nowMs: number): ControlRecord {
  return {
    sequence: 0,
    offset: logStartOffset,
    segmentBase: logStartOffset,
    position: 0,
    lastStableOffset: logStartOffset,
    firstUnstableProducerId: -1,
    transactionIndexSize: 0,
    logStartOffset,
    layoutVersion: 0,
    cutCount: 0,
    leaderEpoch: 0,
    firstTimestamp: -1,
    segmentCreatedMs: nowMs,
    index: EMPTY_INDEX_STATE,
    checkpointPosition: 0,
    checkpointIndex: EMPTY_INDEX_STATE,
    checkpointMs: nowMs,
    bootId: NO_BOOT,
    identity: 0,
    firstDirtyOffset: 0,
    upkeepMs: 0,
    upkeepUptimeMs: 0,
    upkeepBoot: 0,
    clockDistrust: 0,
    swappedBase: -1,
  };
}

export function encodeControlRecord(record: ControlRecord, into: Buffer, at: number): void {
  into.fill(0, at, at + CONTROL_RECORD_SIZE);
  into.writeUInt32BE(MAGIC, at);
  into.writeUInt16BE(VERSION, at + 4);
  writeInt64(into, at + SEQUENCE_AT, record.sequence);
  writeInt64(into, at + 16, record.offset);
  writeInt64(into, at + 24, record.segmentBase);
  writeInt64(into, at + 32, record.position);
  writeInt64(into, at + 40, record.lastStableOffset);
  writeInt64(into, at + 48, record.firstUnstableProducerId);
  writeInt64(into, at + 56, record.transactionIndexSize);
  writeInt64(into, at + 64, record.logStartOffset);
  into.writeUInt32BE(record.layoutVersion, at + 72);
  into.writeUInt32BE(record.cutCount, at + 76);
  into.writeInt32BE(record.leaderEpoch, at + 80);
  writeInt64(into, at + 88, record.firstTimestamp);
  writeInt64(into, at + 96, record.segmentCreatedMs);
  encodeIndexState(record.index, into, at + INDEX_STATE_AT);
  writeInt64(into, at + CHECKPOINT_AT, record.checkpointPosition);
  encodeIndexState(record.checkpointIndex, into, at + CHECKPOINT_STATE_AT);
  writeInt64(into, at + 184, record.checkpointMs);
  into.set(record.bootId, at + BOOT_ID_AT);
  writeInt64(into, at + IDENTITY_AT, record.identity);
  writeInt64(into, at + 216, record.firstDirtyOffset);
  writeInt64(into, at + 224, record.upkeepMs);
  writeInt64(into, at + 232, record.upkeepUptimeMs);
  into.writeUInt32BE(record.upkeepBoot, at + 240);
  into.writeUInt32BE(record.clockDistrust, at + 244);
  encodeSwappedBase(record.swappedBase, into, at);
  into.writeUInt32BE(crc32c(into, at, at + CRC_AT), at + CRC_AT);
}

/** `undefined`: torn, never written, contradicting itself, or of a version this klog does not know. */
export function decodeControlRecord(from: Buffer, at: number): ControlRecord | undefined {
  if (from.readUInt32BE(at) !== MAGIC || from.readUInt16BE(at + 4) !== VERSION) return undefined;
  if (from.readUInt32BE(at + CRC_AT) !== crc32c(from, at, at + CRC_AT)) return undefined;
  const record = {
    sequence: readInt64(from, at + SEQUENCE_AT),
    offset: readInt64(from, at + 16),
    segmentBase: readInt64(from, at + 24),
    position: readInt64(from, at + 32),
    lastStableOffset: readInt64(from, at + 40),
    firstUnstableProducerId: readInt64(from, at + 48),
    transactionIndexSize: readInt64(from, at + 56),
    logStartOffset: readInt64(from, at + 64),
    layoutVersion: from.readUInt32BE(at + 72),
    cutCount: from.readUInt32BE(at + 76),
    leaderEpoch: from.readInt32BE(at + 80),
    firstTimestamp: readInt64(from, at + 88),
    segmentCreatedMs: readInt64(from, at + 96),
    index: decodeIndexState(from, at + INDEX_STATE_AT),
    checkpointPosition: readInt64(from, at + CHECKPOINT_AT),
    checkpointIndex: decodeIndexState(from, at + CHECKPOINT_STATE_AT),
    checkpointMs: readInt64(from, at + 184),
    bootId: from.subarray(at + BOOT_ID_AT, at + BOOT_ID_AT + BOOT_ID_SIZE).slice(),
    identity: readInt64(from, at + IDENTITY_AT),
    firstDirtyOffset: readInt64(from, at + 216),
    upkeepMs: readInt64(from, at + 224),
    upkeepUptimeMs: readInt64(from, at + 232),
    upkeepBoot: from.readUInt32BE(at + 240),
    clockDistrust: from.readUInt32BE(at + 244),
    swappedBase: decodeSwappedBase(from, at),
  };
  return isConsistent(record) ? record : undefined;
}

/** Which of two records claims the higher sequence, whether they are valid or not: as compare functions answer. */
export function compareSequences(from: Buffer, at: number, other: number): number {
  const high = from.readUInt32BE(at + SEQUENCE_AT) - from.readUInt32BE(other + SEQUENCE_AT);
  return high !== 0 ? high : from.readUInt32BE(at + SEQUENCE_AT + 4) - from.readUInt32BE(other + SEQUENCE_AT + 4);
}

/** The checksum says that the bytes came through, not that whoever wrote them told the truth. */
function isConsistent(record: ControlRecord): boolean {
  const { segmentBase, offset, position, transactionIndexSize, index, checkpointPosition, checkpointIndex } = record;
  return (
    segmentBase >= 0 &&
    offset >= segmentBase &&
    Math.min(position, transactionIndexSize, checkpointPosition) >= 0 &&
    [index, checkpointIndex].every((state) => isWithin(state, segmentBase, offset))
  );
}

function isWithin(state: IndexState, segmentBase: number, offset: number): boolean {
  const { maxTimestamp, offsetOfMaxTimestamp, offsetIndexSize, timeIndexSize } = state;
  const isInSegment = offsetOfMaxTimestamp >= segmentBase && offsetOfMaxTimestamp < offset;
  const isNone = offsetOfMaxTimestamp === -1 && maxTimestamp === -1;
  return (isNone || isInSegment) && offsetIndexSize >= 0 && timeIndexSize >= 0;
}

/** In the two words that were left. */
function encodeSwappedBase(base: number, into: Buffer, at: number): void {
  if (base < 0) return;
  into.writeUInt16BE(SWAPPED_BASE_FLAG, at + FLAGS_AT);
  into.writeUInt32BE(Math.floor(base / 2 ** 32), at + SWAPPED_BASE_HIGH_AT);
  into.writeUInt32BE(base % 2 ** 32, at + SWAPPED_BASE_LOW_AT);
}

function decodeSwappedBase(from: Buffer, at: number): number {
  if ((from.readUInt16BE(at + FLAGS_AT) & SWAPPED_BASE_FLAG) === 0) return -1;
  return from.readUInt32BE(at + SWAPPED_BASE_HIGH_AT) * 2 ** 32 + from.readUInt32BE(at + SWAPPED_BASE_LOW_AT);
}

function encodeIndexState(state: IndexState, into: Buffer, at: number): void {
  into.writeInt32BE(state.bytesSinceIndex, at);
  writeInt64(into, at + 4, state.maxTimestamp);
  writeInt64(into, at + 12, state.offsetOfMaxTimestamp);
  writeInt64(into, at + 20, state.lastTimeIndexTimestamp);
  into.writeInt32BE(state.offsetIndexSize, at + 28);
  into.writeInt32BE(state.timeIndexSize, at + 32);
}

function decodeIndexState(from: Buffer, at: number): IndexState {
  return {
    bytesSinceIndex: from.readInt32BE(at),
    maxTimestamp: readInt64(from, at + 4),
    offsetOfMaxTimestamp: readInt64(from, at + 12),
    lastTimeIndexTimestamp: readInt64(from, at + 20),
    offsetIndexSize: from.readInt32BE(at + 28),
    timeIndexSize: from.readInt32BE(at + 32),
  };
}
