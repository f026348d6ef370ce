/** Checks all files of a partition against each other. Takes no locks and writes nothing. */
import { join } from 'node:path';
import { CONTROL_FILE_NAME, ControlFile } from '../../storage/control-file.js';
import type { ControlRecord } from '../../storage/control-record.js';
import type { FileSystem } from '../../storage/file-system.js';
import { parseSegmentFileName, segmentBaseOffsets, segmentFileName } from '../../storage/log-files.js';
import { TransactionTracker } from '../../storage/transaction-tracker.js';
import { type CheckedControl, checkControlFile } from './check-control-file.js';
import { type PartitionCheck, Problems } from './check-report.js';
import { type CheckTask, checkSegment, type SegmentLimits } from './check-segment.js';
import {
  checkLeaderEpochs,
  checkPartitionMetadata,
  checkSnapshots,
  noteLeftovers,
  type SideFiles,
} from './check-side-files.js';
import type { FoundPartition } from './dump-targets.js';

export interface CheckOptions {
  readonly fs: FileSystem;
  readonly deep: boolean;
  /** Bytes of `.log` files gone through. */
  readonly onBytes: (bytes: number) => void;
  isStopped(): boolean;
}

/** Files that are swapped while they are looked at make one look again. */
const TRIES = 4;

export async function checkPartition(partition: FoundPartition, options: CheckOptions): Promise<PartitionCheck> {
  const { fs } = options;
  const { path } = partition.directory;
  for (let tries = 1; ; tries++) {
    const before = await layoutOf(fs, path);
    const check = await lookAtPartition(
      { ...partition.directory, names: await fs.readDirectory(path) },
      partition,
      options,
    );
    if (!check.isDamaged || tries === TRIES || (await layoutOf(fs, path)) === before) return check;
  }
}

/** Changes whenever files are swapped, or the log is cut. */
async function layoutOf(fs: FileSystem, directory: string): Promise<string> {
  const names = await fs.readDirectory(directory);
  const safe = names.includes(CONTROL_FILE_NAME) ? await readSafe(fs, directory) : undefined;
  return [safe?.layoutVersion, safe?.cutCount, ...names.sort()].join(' ');
}

async function readSafe(fs: FileSystem, directory: string): Promise<ControlRecord | undefined> {
  const control = await ControlFile.open(fs, directory, 'read');
  try {
    return (await control.read()).safe;
  } finally {
    await control.close();
  }
}

async function lookAtPartition(
  directory: FoundPartition['directory'],
  { owner, only }: FoundPartition,
  options: CheckOptions,
): Promise<PartitionCheck> {
  const { fs, deep, onBytes, isStopped } = options;
  const { path, shown, names } = directory;
  const problems = new Problems();
  const side: SideFiles = { fs, directory: path, shown, names, topic: owner?.topic, problems };
  // Before anything else is looked at: what is safe by then must be good.
  const control = await checkControlFile(fs, path, shown, problems);
  const epochs = await checkLeaderEpochs(side);
  await checkPartitionMetadata(side);
  const bases = segmentBaseOffsets(names);
  const task: CheckTask = {
    fs,
    directory: path,
    shown,
    problems,
    deep,
    epochs,
    tracker: new TransactionTracker(),
    onBytes,
    isStopped,
  };
  const own = control === undefined || control.isCopy ? undefined : control.safe;
  if (own !== undefined && !bases.includes(own.segmentBase)) {
    const file = join(shown, segmentFileName(own.segmentBase, '.log'));
    problems.damage(file, 'is missing, and klog.end says that it is in use', { offset: own.offset });
  }
  let [segments, batches, records, bytes] = [0, 0, 0, 0];
  let minOffset = 0;
  const onlyBase = only === undefined ? undefined : parseSegmentFileName(only)?.baseOffset;
  for (const [i, baseOffset] of bases.entries()) {
    if (onlyBase !== undefined && baseOffset !== onlyBase) continue;
    const isBeyond = own !== undefined && baseOffset > own.segmentBase;
    if (isBeyond) {
      const file = join(shown, segmentFileName(baseOffset, '.log'));
      problems.torn(file, 'lies behind what is safe: the next writer settles it', { offset: baseOffset });
      continue;
    }
    if (i > 0 && baseOffset > minOffset && segments > 0) {
      // klog's segments end where the next one begins, after a compaction too.
      const file = join(shown, segmentFileName(bases[i - 1]!, '.log'));
      const reason = `no segment holds the offsets from ${minOffset} to ${baseOffset - 1}`;
      if (own === undefined) problems.note(file, reason, { offset: minOffset });
      else if (!damagedAt(problems, file)) problems.damage(file, reason, { offset: minOffset });
    }
    const checked = await checkSegment(task, {
      baseOffset,
      minOffset: Math.max(baseOffset, minOffset),
      nextBase: bases[i + 1],
      limits: own?.segmentBase === baseOffset ? limitsOf(own, control?.isOfThisBoot === true) : undefined,
      isCopy: control?.isCopy === true,
    });
    if (isStopped()) break;
    if (checked === undefined) continue;
    segments += 1;
    batches += checked.batches;
    records += checked.records;
    bytes += checked.bytes;
    minOffset = checked.nextOffset;
  }
  const isComplete = !isStopped();
  if (isComplete) {
    checkStart(control, bases, shown, problems);
    await checkSnapshots(side, Math.max(minOffset, own?.offset ?? 0));
    noteLeftovers(side);
  }
  const { omitted } = problems;
  const isMeant = (file: string) => only === undefined || file === join(shown, only);
  const list = problems.list.filter(({ file }) => isMeant(file));
  const isDamaged = only === undefined ? problems.isDamaged : list.some(({ severity }) => severity === 'damage');
  return {
    topic: owner?.topic,
    partition: owner?.partition,
    directory: shown,
    segments,
    batches,
    records: deep ? records : undefined,
    bytes,
    problems: list,
    omitted,
    isDamaged,
    isComplete,
  };
}

/** What is missing behind damage at the end of a segment has been told. */
function damagedAt(problems: Problems, file: string): boolean {
  return problems.list.some((problem) => problem.severity === 'damage' && problem.file === file);
}

/** After another boot only what a checkpoint covered is sure to be in the index files. */
function limitsOf(safe: ControlRecord, isOfThisBoot: boolean): SegmentLimits {
  const index = isOfThisBoot ? safe.index : safe.checkpointIndex;
  const { position, offset, transactionIndexSize } = safe;
  const { offsetIndexSize, timeIndexSize } = index;
  return { position, offset, transactionIndexSize, offsetIndexSize, timeIndexSize };
}

function checkStart(
  control: CheckedControl | undefined,
  bases: readonly number[],
  shown: string,
  problems: Problems,
): void {
  const [first] = bases;
  if (control === undefined || first === undefined || control.safe.logStartOffset >= first) return;
  // Between raising the start and removing files, or after files went that should not.
  const reason = `says the log starts at offset ${control.safe.logStartOffset}, and the first segment is of ${first}`;
  problems.damage(join(shown, CONTROL_FILE_NAME), reason);
}
