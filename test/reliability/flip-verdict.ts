/** What one flipped bit of a partition does: to the check, and to a reader. */
import { checkPartition } from '../../src/cli/log/check-partition.js';
import type { FoundPartition } from '../../src/cli/log/dump-targets.js';
import { KlogError } from '../../src/errors.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { PartitionReader } from '../../src/storage/partition-reader.js';
import type { FlippedFiles } from './flipped-files.js';

/**
 * - `noticed`: `klog log check` calls it damage, and names a place.
 * - `noted`: the check names it and calls it harmless.
 * - `harmless`: nothing says anything, and a reader gets every record as it was.
 */
export type FlipVerdict = 'noticed' | 'noted' | 'harmless';

export type ReadOutcome =
  /** Every record as it was. */
  | 'same'
  /** What was given out is as it was; then an error told of damage. */
  | 'refused'
  /** Every record as it was, but for some at the end, and no error: as if the last sync had not been. */
  | 'prefix'
  /** Records that were never written, or none where some should be, and no error. */
  | 'wrong';

/** One line for each record from an offset on (default: the start), in order. */
export async function readAll(
  fs: FlippedFiles,
  directory: string,
  from?: number,
): Promise<{ lines: string[]; error?: KlogError }> {
  const lines: string[] = [];
  let reader: PartitionReader | undefined;
  try {
    reader = await PartitionReader.open(fs, directory, { topic: 't', partition: 0 });
    const { logStartOffset, highWatermark } = await reader.marks();
    const cursor = new RecordCursor();
    for (let offset = from ?? logStartOffset; offset < highWatermark; ) {
      const { buffer, start, end, nextOffset } = await reader.fetch(offset, 8192);
      for (let at = start; at < end; at += 12 + buffer.readInt32BE(at + 8)) {
        openCursor(cursor, buffer, at);
        cursor.skipTo(offset);
        while (cursor.next()) {
          const { key, value } = cursor.toRecord();
          lines.push(`${cursor.offset} ${cursor.timestamp} ${key?.toString()} ${value?.toString()}`);
        }
      }
      if (nextOffset <= offset) return { lines };
      offset = nextOffset;
    }
    return { lines };
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
    return { lines, error };
  } finally {
    await reader?.close();
  }
}

export async function outcomeOfReading(
  fs: FlippedFiles,
  directory: string,
  right: readonly string[],
  from?: number,
): Promise<ReadOutcome> {
  const { lines, error } = await readAll(fs, directory, from);
  if (lines.some((line, i) => line !== right[i])) return 'wrong';
  if (error !== undefined) return 'refused';
  return lines.length === right.length ? 'same' : 'prefix';
}

export async function verdictOfCheck(fs: FlippedFiles, partition: FoundPartition): Promise<FlipVerdict> {
  const check = await checkPartition(partition, { fs, deep: false, onBytes: () => {}, isStopped: () => false });
  if (check.isDamaged) return 'noticed';
  return check.problems.length > 0 ? 'noted' : 'harmless';
}
