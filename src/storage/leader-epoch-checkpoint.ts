/**
 * `leader-epoch-checkpoint` of a partition: which leader epoch wrote the records from which offset on. A checkpoint
 * file (checkpoint-file.ts) with the entries `<epoch> <startOffset>`, both strictly rising.
 *
 * klog begins a new epoch wherever something was cut off the end of the log, so that who wrote there can tell whether
 * the cut began behind it. As in Kafka (`LeaderEpochFileCache`) the file knows of no offset outside the log: where the
 * log start was raised the epoch of its first record begins there, and what began behind a new end is gone. The log
 * start is on the disk before the file is cut; where a process died in between, settling or the next trim does it.
 */
import { KlogError } from '../errors.js';
import { checkpointNumber, decodeCheckpoint, encodeCheckpoint } from './checkpoint-file.js';
import { type FileSystem, type ReplaceOptions, readWhole, replaceFile } from './file-system.js';

export const LEADER_EPOCH_CHECKPOINT = 'leader-epoch-checkpoint';

export interface LeaderEpoch {
  readonly epoch: number;
  /** First offset written in this epoch. */
  readonly startOffset: number;
}

export function encodeLeaderEpochs(epochs: readonly LeaderEpoch[]): Uint8Array {
  return encodeCheckpoint(epochs.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`));
}

/** CORRUPT_MESSAGE, naming `file`: not a checkpoint file, or the entries do not rise. */
export function decodeLeaderEpochs(bytes: Uint8Array, file: string): LeaderEpoch[] {
  const epochs: LeaderEpoch[] = [];
  decodeCheckpoint(bytes, file, 2).forEach(([epochField = '', offsetField = ''], i) => {
    const epoch = checkpointNumber(epochField, file, i);
    const startOffset = checkpointNumber(offsetField, file, i);
    const last = epochs.at(-1);
    if (last !== undefined && (epoch <= last.epoch || startOffset <= last.startOffset)) {
      throw new KlogError(
        'CORRUPT_MESSAGE',
        `line ${i + 3} of ${file}: epoch ${epoch} from offset ${startOffset} does not follow epoch ${last.epoch} from ${last.startOffset}`,
        { file, line: i + 3 },
      );
    }
    epochs.push({ epoch, startOffset });
  });
  return epochs;
}

/** A missing or empty file has no entries. */
export async function readLeaderEpochs(fs: FileSystem, partitionDirectory: string): Promise<LeaderEpoch[]> {
  const file = `${partitionDirectory}/${LEADER_EPOCH_CHECKPOINT}`;
  const bytes = await readWhole(fs, file);
  return bytes === undefined ? [] : decodeLeaderEpochs(bytes, file);
}

export async function writeLeaderEpochs(
  fs: FileSystem,
  partitionDirectory: string,
  epochs: readonly LeaderEpoch[],
  options: ReplaceOptions = {},
): Promise<void> {
  await replaceFile(fs, partitionDirectory, LEADER_EPOCH_CHECKPOINT, encodeLeaderEpochs(epochs), options);
}

/** The log start was raised. A damaged file stays as it is, for `log check` to find. */
export async function trimLeaderEpochs(
  fs: FileSystem,
  partitionDirectory: string,
  logStartOffset: number,
): Promise<void> {
  let epochs: LeaderEpoch[];
  try {
    epochs = await readLeaderEpochs(fs, partitionDirectory);
  } catch (error) {
    if (error instanceof KlogError) return;
    throw error;
  }
  const left = cutLeaderEpochs(epochs, logStartOffset, Number.POSITIVE_INFINITY);
  if (!areSameEpochs(left, epochs)) await writeLeaderEpochs(fs, partitionDirectory, left);
}

export function areSameEpochs(some: readonly LeaderEpoch[], others: readonly LeaderEpoch[]): boolean {
  return Buffer.compare(encodeLeaderEpochs(some), encodeLeaderEpochs(others)) === 0;
}

/** The epoch in which the record at `offset` was written; `undefined` where the entries do not reach back so far. */
export function leaderEpochOf(epochs: readonly LeaderEpoch[], offset: number): number | undefined {
  return epochs.findLast(({ startOffset }) => startOffset <= offset)?.epoch;
}

/** Cut to what is left of the log: its first offset is `logStartOffset`, its end `logEndOffset`. */
export function cutLeaderEpochs(
  epochs: readonly LeaderEpoch[],
  logStartOffset: number,
  logEndOffset: number,
): LeaderEpoch[] {
  const before = epochs.findLast(({ startOffset }) => startOffset <= logStartOffset);
  const kept = epochs.filter(({ startOffset }) => startOffset > logStartOffset && startOffset < logEndOffset);
  // The epoch in which the log now begins begins where the log does.
  if (before !== undefined) kept.unshift({ epoch: before.epoch, startOffset: logStartOffset });
  return kept;
}
