/**
 * Recovers a copy of a segment's `.log` in a directory of its own, and gives what came out with the rebuilt indexes.
 */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFileSystem } from '../../src/storage/file-system-node.js';
import { segmentFileName } from '../../src/storage/log-files.js';
import { type RecoveredSegment, recoverSegment } from '../../src/storage/segment-recovery.js';
import { TransactionTracker } from '../../src/storage/transaction-tracker.js';

export interface RecoveredCopy extends RecoveredSegment {
  readonly logSize: number;
  readonly lastStableOffset: number;
  readonly files: ReadonlyMap<'.index' | '.timeindex' | '.txnindex', Buffer>;
}

/** @param close whether the segment was closed in good order: then its time index has a closing entry */
export async function recoverCopy(
  partitionDirectory: string,
  baseOffset: number,
  indexIntervalBytes: number,
  close: boolean,
): Promise<RecoveredCopy> {
  const directory = await mkdtemp(join(tmpdir(), 'klog-vectors-'));
  const path = (suffix: '.log' | '.index' | '.timeindex' | '.txnindex') =>
    join(directory, segmentFileName(baseOffset, suffix));
  try {
    await copyFile(join(partitionDirectory, segmentFileName(baseOffset, '.log')), path('.log'));
    // What stood in the indexes must not shine through.
    for (const suffix of ['.index', '.timeindex', '.txnindex'] as const) await writeFile(path(suffix), 'left over');
    const log = await nodeFileSystem.open(path('.log'), 'read');
    const offsetIndex = await nodeFileSystem.open(path('.index'), 'write');
    const timeIndex = await nodeFileSystem.open(path('.timeindex'), 'write');
    const transactionIndex = await nodeFileSystem.open(path('.txnindex'), 'write');
    try {
      const logSize = (await log.stat()).size;
      const transactions = new TransactionTracker();
      const segment = {
        baseOffset,
        log,
        logSize,
        offsetIndex,
        timeIndex,
        openTransactionIndex: () => transactionIndex,
      };
      const recovered = await recoverSegment(segment, { indexIntervalBytes, close, transactions });
      const files = new Map<'.index' | '.timeindex' | '.txnindex', Buffer>();
      for (const suffix of ['.index', '.timeindex', '.txnindex'] as const) {
        files.set(suffix, await readFile(path(suffix)));
      }
      const lastStableOffset = transactions.lastStableOffset(recovered.nextOffset);
      return { ...recovered, logSize, lastStableOffset, files };
    } finally {
      for (const file of [log, offsetIndex, timeIndex, transactionIndex]) await file.close();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}
