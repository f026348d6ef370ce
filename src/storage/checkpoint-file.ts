/**
 * Kafka's checkpoint files: text, one entry a line, `\n` line ends.
 *
 * ```
 * 0                format version
 * 2                number of entries that follow
 * orders 0 123     topic, partition, offset: in the offset checkpoints of a log directory
 * my-topic 12 77
 * ```
 *
 * The last step of a write is a rename: a crash leaves the old content or the new.
 */
import { KlogError } from '../errors.js';
import { beyondSafeInteger } from '../format/int64.js';

/** Per partition: the offset below which everything is on the disk. */
export const RECOVERY_POINT_CHECKPOINT = 'recovery-point-offset-checkpoint';
/** Per partition, only where it is beyond the first segment's base offset: the first offset to be read. */
export const LOG_START_OFFSET_CHECKPOINT = 'log-start-offset-checkpoint';
/** Per partition: the high watermark. */
export const REPLICATION_OFFSET_CHECKPOINT = 'replication-offset-checkpoint';
/** Per partition: the first offset that compaction has not seen. */
export const CLEANER_OFFSET_CHECKPOINT = 'cleaner-offset-checkpoint';

const VERSION = 0;
const NUMBER = /^\d{1,19}$/;

export interface OffsetCheckpoint {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export function encodeCheckpoint(lines: readonly string[]): Uint8Array {
  return Buffer.from([VERSION, lines.length, ...lines, ''].join('\n'), 'utf8');
}

/**
 * The fields of each entry's line. No bytes at all: no entries, as freshly made partitions have it.
 * CORRUPT_MESSAGE, naming `file`: another version, or not as many entries as it says.
 */
export function decodeCheckpoint(bytes: Uint8Array, file: string, fieldCount: number): string[][] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const [version = '', count = '', ...entries] = lines;
  if (version !== String(VERSION)) throw corrupt(file, 1, `has version ${shown(version)}, known is ${VERSION}`);
  if (!NUMBER.test(count)) throw corrupt(file, 2, `says ${shown(count)} instead of how many entries follow`);
  if (Number(count) !== entries.length) throw corrupt(file, 2, `says ${count} entries, ${entries.length} follow`);
  return entries.map((entry, i) => {
    const fields = entry.trim().split(/\s+/);
    if (fields.length !== fieldCount) throw corrupt(file, i + 3, `has ${shown(entry)}, expected ${fieldCount} fields`);
    return fields;
  });
}

/** A field that must be a whole number. CORRUPT_MESSAGE if it is none, INVALID_RECORD beyond 2^53 - 1. */
export function checkpointNumber(field: string, file: string, entry: number): number {
  const value = Number(field);
  if (!NUMBER.test(field)) throw corrupt(file, entry + 3, `has ${shown(field)} where a number belongs`);
  if (Number.isSafeInteger(value)) return value;
  throw beyondSafeInteger(`number in line ${entry + 3} of ${file}`, BigInt(field));
}

export function encodeOffsetCheckpoint(entries: readonly OffsetCheckpoint[]): Uint8Array {
  return encodeCheckpoint(entries.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`));
}

export function decodeOffsetCheckpoint(bytes: Uint8Array, file: string): OffsetCheckpoint[] {
  return decodeCheckpoint(bytes, file, 3).map(([topic = '', partition = '', offset = ''], i) => ({
    topic,
    partition: checkpointNumber(partition, file, i),
    offset: checkpointNumber(offset, file, i),
  }));
}

function corrupt(file: string, line: number, what: string): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `line ${line} of ${file} ${what}`, { file, line });
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
