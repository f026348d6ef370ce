/**
 * Producer snapshot, `<offset>.snapshot`: what a partition knows of its producers just before that offset, so that
 * nobody has to read the log for it. Big-endian:
 *
 * ```
 *  0  i16  version 1
 *  2  u32  crc          CRC-32C of everything from byte 6 on
 *  6  i32  count
 * 10  entries of 46 bytes:
 *      0  i64  producerId                    26  i64  timestamp
 *      8  i16  producerEpoch                 34  i32  coordinatorEpoch       -1 none
 *     10  i32  lastSequence                  38  i64  currentTxnFirstOffset  -1 none
 *     14  i64  lastOffset
 *     22  i32  offsetDelta
 * ```
 *
 * Only the newest batch of a producer is kept. The order of the entries says nothing.
 */
import { KlogError } from '../errors.js';
import { crc32c } from '../format/crc32c.js';
import { readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from '../format/int64.js';
import { type FileSystem, replaceFile } from './file-system.js';
import { segmentFileName } from './log-files.js';

export interface ProducerSnapshotEntry {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** -1 with `lastOffset` -1: nothing but a marker is known of the producer. */
  readonly lastSequence: number;
  /** Of its newest batch. */
  readonly lastOffset: number;
  /** `lastOffset` less the first offset of that batch. */
  readonly offsetDelta: number;
  /** Of its newest batch or marker, in milliseconds. */
  readonly timestamp: number;
  /** Of its newest marker, -1 if there was none. */
  readonly coordinatorEpoch: number;
  /** First offset of its open transaction, -1 if it has none. */
  readonly currentTxnFirstOffset: number;
}

/** No producer is known. */
export const EMPTY_SNAPSHOT: readonly ProducerSnapshotEntry[] = [];

const VERSION = 1;
const CRC_AT = 2;
const COUNT_AT = 6;
const ENTRIES_AT = 10;
const ENTRY_SIZE = 46;

const PRODUCER_EPOCH_AT = 8;
const LAST_SEQUENCE_AT = 10;
const LAST_OFFSET_AT = 14;
const OFFSET_DELTA_AT = 22;
const TIMESTAMP_AT = 26;
const COORDINATOR_EPOCH_AT = 34;
const CURRENT_TXN_FIRST_OFFSET_AT = 38;

export function encodeProducerSnapshot(entries: readonly ProducerSnapshotEntry[]): Uint8Array {
  const bytes = Buffer.alloc(ENTRIES_AT + entries.length * ENTRY_SIZE);
  writeInt16(bytes, 0, VERSION);
  writeInt32(bytes, COUNT_AT, entries.length);
  entries.forEach((entry, i) => {
    const at = ENTRIES_AT + i * ENTRY_SIZE;
    writeInt64(bytes, at, entry.producerId, 'producer id');
    writeInt16(bytes, at + PRODUCER_EPOCH_AT, entry.producerEpoch);
    writeInt32(bytes, at + LAST_SEQUENCE_AT, entry.lastSequence);
    writeInt64(bytes, at + LAST_OFFSET_AT, entry.lastOffset, 'last offset');
    writeInt32(bytes, at + OFFSET_DELTA_AT, entry.offsetDelta);
    writeInt64(bytes, at + TIMESTAMP_AT, entry.timestamp, 'timestamp');
    writeInt32(bytes, at + COORDINATOR_EPOCH_AT, entry.coordinatorEpoch);
    writeInt64(bytes, at + CURRENT_TXN_FIRST_OFFSET_AT, entry.currentTxnFirstOffset, 'first offset');
  });
  writeInt32(bytes, CRC_AT, crc32c(bytes, COUNT_AT, bytes.length));
  return bytes;
}

/**
 * CORRUPT_MESSAGE, naming `file`: the CRC or the length is wrong; such a snapshot is to be thrown away, the log has it
 * all. UNSUPPORTED_VERSION: of a later Kafka. INVALID_RECORD: a value beyond 2^53 - 1.
 */
export function decodeProducerSnapshot(bytes: Uint8Array, file: string): ProducerSnapshotEntry[] {
  if (bytes.length < ENTRIES_AT) throw corrupt(file, `has ${bytes.length} bytes, the smallest has ${ENTRIES_AT}`);
  const version = readInt16(bytes, 0);
  if (version !== VERSION) {
    throw new KlogError('UNSUPPORTED_VERSION', `${file} has version ${version}, known is ${VERSION}`, { file });
  }
  if (readInt32(bytes, CRC_AT) >>> 0 !== crc32c(bytes, COUNT_AT, bytes.length)) throw corrupt(file, 'has a wrong CRC');
  const count = readInt32(bytes, COUNT_AT);
  if (count < 0 || bytes.length !== ENTRIES_AT + count * ENTRY_SIZE) {
    throw corrupt(file, `has ${bytes.length} bytes for ${count} entries`);
  }
  const entries: ProducerSnapshotEntry[] = [];
  for (let at = ENTRIES_AT; at < bytes.length; at += ENTRY_SIZE) {
    entries.push({
      producerId: readInt64(bytes, at, 'producer id'),
      producerEpoch: readInt16(bytes, at + PRODUCER_EPOCH_AT),
      lastSequence: readInt32(bytes, at + LAST_SEQUENCE_AT),
      lastOffset: readInt64(bytes, at + LAST_OFFSET_AT, 'last offset'),
      offsetDelta: readInt32(bytes, at + OFFSET_DELTA_AT),
      timestamp: readInt64(bytes, at + TIMESTAMP_AT, 'timestamp'),
      coordinatorEpoch: readInt32(bytes, at + COORDINATOR_EPOCH_AT),
      currentTxnFirstOffset: readInt64(bytes, at + CURRENT_TXN_FIRST_OFFSET_AT, 'first offset'),
    });
  }
  return entries;
}

/**
 * A crash leaves no snapshot or a whole one: the name is durable with the next sync of the directory, which is the
 * caller's.
 */
export async function writeProducerSnapshot(
  fs: FileSystem,
  partitionDirectory: string,
  offset: number,
  entries: readonly ProducerSnapshotEntry[],
): Promise<void> {
  const name = segmentFileName(offset, '.snapshot');
  await replaceFile(fs, partitionDirectory, name, encodeProducerSnapshot(entries), { syncsName: false });
}

function corrupt(file: string, what: string): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `${file} ${what}`, { file });
}
