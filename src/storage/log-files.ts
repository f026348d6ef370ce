/**
 * Names in a Kafka log directory ↔ what they mean.
 *
 * ```
 * orders-0/                                 <topic>-<partition>, split at the last "-"
 *   00000000000000000042.log                base offset in 20 digits: a lower bound of the offsets in the file
 *   00000000000000000042.index .timeindex .txnindex
 *   00000000000000000042.snapshot           producer state up to, not including, offset 42
 *   00000000000000000042.log.deleted        waits for its deletion
 *   00000000000000000042.log.cleaned .swap  unfinished, and finished, output of the cleaner
 * orders-0.<32 hex>-delete -future -stray   directories that are no partition (any more, or yet)
 * ```
 */

export const SEGMENT_SUFFIXES = ['.log', '.index', '.timeindex', '.txnindex', '.snapshot'] as const;
export type SegmentSuffix = (typeof SEGMENT_SUFFIXES)[number];

/** Says that a segment's file is not in use: leftover of a deletion or of the cleaner. */
const FILE_STATES = ['.deleted', '.cleaned', '.swap'] as const;
export type FileState = (typeof FILE_STATES)[number];

const OFFSET_DIGITS = 20;
/** Longest name of a file on the file systems there are. */
const MAX_FILE_NAME_LENGTH = 255;
const SEGMENT_FILE = /^(\d{20})(\.log|\.index|\.timeindex|\.txnindex|\.snapshot)(\.deleted|\.cleaned|\.swap)?$/;
const STATE_DIRECTORY = /^(.*)\.([0-9a-f]{32})-(delete|future|stray)$/;
const PARTITION_DIRECTORY = /^(.+)-(0|[1-9]\d{0,9})$/;
const MAX_PARTITION = 0x7fffffff;

export interface SegmentFileName {
  readonly baseOffset: number;
  readonly suffix: SegmentSuffix;
  readonly state: FileState | undefined;
}

/** `00000000000000000042.log`; with a state `00000000000000000042.log.deleted`. */
export function segmentFileName(baseOffset: number, suffix: SegmentSuffix, state: FileState | '' = ''): string {
  return `${String(baseOffset).padStart(OFFSET_DIGITS, '0')}${suffix}${state}`;
}

/** `undefined`: not a segment's file, or one whose base offset is beyond 2^53 - 1. */
export function parseSegmentFileName(name: string): SegmentFileName | undefined {
  const match = SEGMENT_FILE.exec(name);
  if (match === null) return undefined;
  const baseOffset = Number(match[1]);
  if (!Number.isSafeInteger(baseOffset)) return undefined;
  return { baseOffset, suffix: match[2] as SegmentSuffix, state: match[3] as FileState | undefined };
}

/** Base offsets of the segments (files `.log` in use) among the names of a directory, ascending. */
export function segmentBaseOffsets(names: readonly string[]): number[] {
  const offsets: number[] = [];
  for (const name of names) {
    const file = parseSegmentFileName(name);
    if (file?.suffix === '.log' && file.state === undefined) offsets.push(file.baseOffset);
  }
  return offsets.sort((a, b) => a - b);
}

export type DirectoryState = 'delete' | 'future' | 'stray';

export interface PartitionDirectoryName {
  /** Of a `delete` or `stray` directory perhaps only the beginning of the name. */
  readonly topic: string;
  readonly partition: number;
  /** `undefined`: the directory is a partition. */
  readonly state: DirectoryState | undefined;
}

export function partitionDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}

/**
 * Name for a partition's directory on its way out: the topic is cut so that the name is not too long for a file system.
 *
 * @param unique 32 lower-case hexadecimal digits, new for each directory
 */
export function partitionDirectoryInState(
  topic: string,
  partition: number,
  state: Exclude<DirectoryState, 'future'>,
  unique: string,
): string {
  const tail = `-${partition}.${unique}-${state}`;
  return `${topic.slice(0, MAX_FILE_NAME_LENGTH - tail.length)}${tail}`;
}

/** `undefined`: no partition's directory. The topic's name is not checked. */
export function parsePartitionDirectoryName(name: string): PartitionDirectoryName | undefined {
  const moved = STATE_DIRECTORY.exec(name);
  const match = PARTITION_DIRECTORY.exec(moved === null ? name : moved[1]!);
  if (match === null) return undefined;
  const partition = Number(match[2]);
  if (partition > MAX_PARTITION) return undefined;
  return { topic: match[1]!, partition, state: moved === null ? undefined : (moved[3] as DirectoryState) };
}
