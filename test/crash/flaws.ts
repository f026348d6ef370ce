/** Errors planted in klog, each of which one of the crash tools must notice. */
import { flaw } from '../support/flaws.js';
import type { Flaw } from '../support/plant-flaws.js';
import type { FaultKind } from './rig/fault-point.js';

export interface PlantedFlaw {
  readonly name: string;
  readonly flaws: readonly Flaw[];
  /** Whose klog has it: the one that is recorded, or the one that finds the state afterwards. */
  readonly in: 'writer' | 'finder';
  readonly scenario: string;
  /**
   * What notices it: simulated power loss under a model of names, real kills or errors in a mode, faults of a kind at
   * all calls in memory, or real power loss.
   */
  readonly by:
    | { readonly model: 'journal' | 'strict' }
    | { readonly mode: string; readonly calls?: string }
    | { readonly memory: FaultKind }
    | 'real';
}

function change(name: string, file: string, find: string, replace: string): Flaw {
  return { name, model: 'none', file, find, replace };
}

const noSync = change(
  'no sync',
  'storage/file-system-node.ts',
  'return this.#syncData(this.#open());',
  'return Promise.resolve();',
);
const noDirectorySync = change(
  'no sync of directories',
  'storage/file-system-node.ts',
  'await inPool((done) => nodeFs.fsync(fd, done));',
  '',
);
const renameBeforeSync = change(
  'rename before sync',
  'storage/file-system.ts',
  `    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename`,
  `  } finally {
    await file.close();
  }
  await fs.rename`,
);
/** Answers with the offsets the records will have, and writes them a moment later. */
export const ackBeforeWrite = change(
  'acknowledged before it is written',
  'storage/log-append.ts',
  'return await appendBehind(context, (await settledState(context)).appended, batches, keepOffsets, onRoll);',
  `await context.late;
  const settled = (await settledState(context)).appended;
  const copies = batches.map((one) => Buffer.from(one));
  let end = settled.offset;
  for (const one of copies) end += new RecordBatch().reset(one, 0).lastOffsetDelta + 1;
  const written = () => appendBehind(context, settled, copies, false, onRoll);
  context.late = new Promise((go) => setTimeout(go, 2)).then(written).catch(() => {});
  const { cutCount, leaderEpoch } = settled;
  return { baseOffset: settled.offset, lastOffset: end - 1, bytes: 0, appendTime: -1, cutCount, leaderEpoch };`,
);
export const noChecksum = change('no CRC check', 'storage/batch-scanner.ts', 'return crc === stored;', 'return true;');
/** As a log that only ever opens its file for appending. */
export const noRepair = change(
  'a torn tail is left',
  'storage/log-settle.ts',
  'return end.position < size;',
  'end.position = size; return false;',
);
const committedBeforeSync = change(
  'a commit is told before it is safe',
  'groups/group-log.ts',
  'await this.#log.durable(appended);',
  'void this.#log.durable(appended).catch(() => {});',
);
const deafToShortWrites = change(
  'short writes are taken for whole ones',
  'storage/file-system.ts',
  'done += written;',
  'done = length;',
);
const failedSyncIsNone = change(
  'a failed sync goes unnoticed',
  'storage/failed-sync.ts',
  `    );
    throw context.failure;`,
  `    );
    context.failure = undefined;`,
);
const fullDiskIsNone = change(
  'a full disk goes unnoticed',
  'storage/log-append.ts',
  'await takeBack(context, inFile);',
  'if ((error as NodeJS.ErrnoException).code !== undefined) return { baseOffset, lastOffset: next.offset - 1, bytes, appendTime, cutCount: next.cutCount, leaderEpoch: next.leaderEpoch };',
);

const exchangeNotFinished = change(
  'an interrupted exchange of segments is left as it is',
  'storage/log-settle.ts',
  'await finishLayoutChange(context, safe);',
  '',
);
const removedBeforeAnnounced = change(
  'segments go before the new log start is written',
  'storage/layout-change.ts',
  'await control.writeSafe({ ...state.safe, ...change, layoutVersion: odd });',
  '',
);
const smallFilesInPlace = change(
  'small files are written in place',
  'storage/file-system.ts',
  'temporaryName}`;',
  'name}`;',
);
const wrongFileSynced = change(
  'the leader syncs the indexes, not the log',
  'storage/log-sync.ts',
  'await syncing(context, () => segment.log.sync());',
  'await syncing(context, () => segment.syncIndexes());',
);
const syncNowAndThen = change(
  'every other sync is left out',
  'storage/log-sync.ts',
  'await syncing(context, () => segment.log.sync());',
  'if (covered.offset % 2 === 0) await syncing(context, () => segment.log.sync());',
);
const rollDeafToItsDirectory = change(
  'a roll passes over a failed sync of the directory',
  'storage/log-roll.ts',
  'await syncing(context, () => context.fs.syncDirectory(context.directory));',
  'await Promise.resolve(context.fs.syncDirectory(context.directory)).catch(() => {});',
);
const deleteDeafToItsDirectory = change(
  'deleting a topic passes over a failed sync',
  'store/topic-file.ts',
  '  }\n  await fs.syncDirectory(directory);',
  '  }\n  await Promise.resolve(fs.syncDirectory(directory)).catch(() => {});',
);
const erasedWithoutRoom = change(
  'what cannot be erased for want of room is said to be',
  'storage/log-erase.ts',
  " && 'must',",
  ',',
);
const overlapsUnseen = change(
  'segments of a copy that overlap are taken as they are',
  'storage/covered-segments.ts',
  'if (base < end) continue;',
  '',
);
/** Whether the sync fails before or after the last flush is chance, so neither tells. */
const lastSyncUntold = [
  change(
    'nobody hears of a failed last sync of acks=written',
    'clients/local/local-producer.ts',
    '// Of the syncs that nobody has waited for.\n    this.#tellFailure();',
    '',
  ),
  change(
    'nor does who flushes',
    'clients/local/local-producer.ts',
    'await senders();\n    this.#tellFailure();',
    'await senders();',
  ),
];
const renameUntold = change(
  'a rename that fails is taken for done',
  'storage/file-system.ts',
  'await fs.rename(temporary,',
  `const rename = async (from: string, to: string) => {
    try {
      await fs.rename(from, to);
    } catch {}
  };
  await rename(temporary,`,
);
const alwaysZero = change('the exit status is always 0', 'cli/main.ts', 'host.exitCode = exitCodeOf(failure);', '');
const withoutAWord = change(
  'a command fails without a word',
  'cli/main.ts',
  "context.stderr.write(reportError(failure, { json: wantsJson(args), debug: context.env.KLOG_DEBUG === '1' }));",
  '',
);
export const PLANTED: readonly PlantedFlaw[] = [
  { name: 'no-sync', flaws: [noSync], in: 'writer', scenario: 'one-by-one', by: { model: 'journal' } },
  { name: 'real-no-sync', flaws: [noSync], in: 'writer', scenario: 'endless', by: 'real' },
  { name: 'real-ack-before-sync', flaws: flaw('core', 'ACK_WRITTEN'), in: 'writer', scenario: 'endless', by: 'real' },
  {
    name: 'real-ack-before-write',
    flaws: [ackBeforeWrite, ...flaw('core', 'ACK_WRITTEN')],
    in: 'writer',
    scenario: 'endless',
    by: 'real',
  },
  { name: 'real-wrong-file-synced', flaws: [wrongFileSynced], in: 'writer', scenario: 'endless', by: 'real' },
  { name: 'real-sync-now-and-then', flaws: [syncNowAndThen], in: 'writer', scenario: 'endless', by: 'real' },
  { name: 'real-cut-at-the-safe-end', flaws: flaw('core', 'CUT_AT_S'), in: 'finder', scenario: 'endless', by: 'real' },
  {
    name: 'ack-before-sync',
    flaws: flaw('core', 'ACK_WRITTEN'),
    in: 'writer',
    scenario: 'one-by-one',
    by: { model: 'journal' },
  },
  {
    name: 'ack-before-write',
    flaws: [ackBeforeWrite, ...flaw('core', 'ACK_WRITTEN')],
    in: 'writer',
    scenario: 'one-by-one',
    by: { mode: 'kill-before' },
  },
  {
    name: 'committed-before-sync',
    flaws: [committedBeforeSync],
    in: 'writer',
    scenario: 'commits',
    by: { model: 'journal' },
  },
  { name: 'no-directory-sync', flaws: [noDirectorySync], in: 'writer', scenario: 'topics', by: { model: 'strict' } },
  {
    name: 'no-directory-sync-at-roll',
    flaws: flaw('roll', 'NO_DIR_FSYNC'),
    in: 'writer',
    scenario: 'roll',
    by: { model: 'strict' },
  },
  { name: 'rename-before-sync', flaws: [renameBeforeSync], in: 'writer', scenario: 'topics', by: { model: 'journal' } },
  {
    name: 'publish-before-sync',
    flaws: flaw('core', 'PUBLISH_FIRST'),
    in: 'writer',
    scenario: 'reader-beside',
    by: { model: 'journal' },
  },
  {
    name: 'reader-past-the-durable-end',
    flaws: flaw('core', 'READER_AT_A'),
    in: 'writer',
    scenario: 'reader-beside',
    by: { model: 'journal' },
  },
  {
    name: 'roll-without-sync',
    flaws: flaw('roll', 'ROLL_NO_SYNC'),
    in: 'writer',
    scenario: 'pipelined',
    by: { model: 'journal' },
  },
  { name: 'no-crc-check', flaws: [noChecksum], in: 'finder', scenario: 'batches', by: { model: 'journal' } },
  {
    name: 'torn-tail-left',
    flaws: [noRepair],
    in: 'finder',
    scenario: 'one-by-one',
    by: { mode: 'kill-torn', calls: 'pwrite64' },
  },
  {
    name: 'cut-at-the-safe-end-killed',
    flaws: flaw('core', 'CUT_AT_S'),
    in: 'finder',
    scenario: 'mixed-acks',
    by: { mode: 'kill-after', calls: 'pwrite64' },
  },
  {
    name: 'exchange-not-finished',
    flaws: [exchangeNotFinished],
    in: 'finder',
    scenario: 'compaction',
    by: { mode: 'kill-before', calls: 'rename,unlink' },
  },
  {
    name: 'removed-before-announced',
    flaws: [removedBeforeAnnounced],
    in: 'writer',
    scenario: 'trim',
    by: { mode: 'kill-after', calls: 'unlink' },
  },
  {
    name: 'small-files-in-place',
    flaws: [smallFilesInPlace],
    in: 'writer',
    scenario: 'topics',
    by: { mode: 'kill-torn', calls: 'pwrite64' },
  },
  {
    name: 'what-was-appended-is-trusted',
    flaws: flaw('core', 'TRUST_A'),
    in: 'finder',
    scenario: 'one-by-one',
    by: { model: 'journal' },
  },
  {
    name: 'cut-at-the-safe-end',
    flaws: flaw('core', 'CUT_AT_S'),
    in: 'finder',
    scenario: 'one-by-one',
    by: { model: 'journal' },
  },
  {
    name: 'only-one-segment-settled',
    flaws: flaw('roll', 'SETTLE_ONE_SEGMENT'),
    in: 'finder',
    scenario: 'roll',
    by: { model: 'journal' },
  },
  {
    name: 'short-writes',
    flaws: [deafToShortWrites],
    in: 'writer',
    scenario: 'one-by-one',
    by: { mode: 'full', calls: 'pwrite64' },
  },
  {
    name: 'failed-sync-unnoticed',
    flaws: [failedSyncIsNone],
    in: 'writer',
    scenario: 'one-by-one',
    by: { mode: 'eio', calls: 'fdatasync' },
  },
  {
    name: 'full-disk-unnoticed',
    flaws: [fullDiskIsNone],
    in: 'writer',
    scenario: 'one-by-one',
    by: { mode: 'enospc', calls: 'pwrite64' },
  },
  {
    name: 'memory-failed-sync-unnoticed',
    flaws: [failedSyncIsNone],
    in: 'writer',
    scenario: 'one-by-one',
    by: { memory: 'eio' },
  },
  {
    name: 'memory-full-disk-unnoticed',
    flaws: [fullDiskIsNone],
    in: 'writer',
    scenario: 'one-by-one',
    by: { memory: 'enospc' },
  },
  {
    name: 'memory-short-writes',
    flaws: [deafToShortWrites],
    in: 'writer',
    scenario: 'one-by-one',
    by: { memory: 'short' },
  },
  {
    name: 'roll-deaf-to-its-directory',
    flaws: [rollDeafToItsDirectory],
    in: 'writer',
    scenario: 'roll',
    by: { memory: 'eio' },
  },
  {
    name: 'delete-deaf-to-its-directory',
    flaws: [deleteDeafToItsDirectory],
    in: 'writer',
    scenario: 'klog-topic-alter-delete',
    by: { memory: 'edquot' },
  },
  { name: 'rename-untold', flaws: [renameUntold], in: 'writer', scenario: 'topics', by: { memory: 'erofs' } },
  {
    name: 'erased-without-room',
    flaws: [erasedWithoutRoom],
    in: 'writer',
    scenario: 'erase',
    by: { memory: 'enospc' },
  },
  { name: 'last-sync-untold', flaws: lastSyncUntold, in: 'writer', scenario: 'written-last', by: { memory: 'eio' } },
  {
    name: 'exit-status-always-0',
    flaws: [alwaysZero],
    in: 'writer',
    scenario: 'klog-topic-create',
    by: { memory: 'emfile' },
  },
  {
    name: 'fails-without-a-word',
    flaws: [withoutAWord],
    in: 'writer',
    scenario: 'klog-produce',
    by: { memory: 'eio' },
  },
  {
    name: 'one-dies-acks-before-write',
    flaws: [ackBeforeWrite, ...flaw('core', 'ACK_WRITTEN')],
    in: 'writer',
    scenario: 'group-commit',
    by: { memory: 'kill-one' },
  },
  {
    name: 'one-dies-exchange-not-finished',
    flaws: [exchangeNotFinished],
    in: 'finder',
    scenario: 'compaction-beside',
    by: { memory: 'kill-one' },
  },
  {
    name: 'one-dies-torn-tail-left',
    flaws: [noRepair],
    in: 'writer',
    scenario: 'group-commit',
    by: { memory: 'kill-one-torn' },
  },
  {
    name: 'lost-pages-taken-for-safe',
    flaws: flaw('core', 'NO_SYNCING'),
    in: 'writer',
    scenario: 'group-commit',
    by: { memory: 'eio-loses' },
  },
  {
    name: 'failed-sync-tried-again',
    flaws: [failedSyncIsNone],
    in: 'writer',
    scenario: 'pipelined',
    by: { memory: 'eio-loses' },
  },
  { name: 'overlaps-unseen', flaws: [overlapsUnseen], in: 'writer', scenario: 'hot-copy', by: { memory: 'short' } },
];
