/** Looks at the logs themselves: at all of it where that takes a moment, else at the end of each partition. */
import { join } from 'node:path';
import { ControlFile } from '../../storage/control-file.js';
import type { FileSystem } from '../../storage/file-system.js';
import { isOdd, isOfThisBoot } from '../../storage/log-context.js';
import { segmentFileName } from '../../storage/log-files.js';
import { systemErrorCode } from '../../store/system-error.js';
import { checkPartition } from '../log/check-partition.js';
import { diskUsage } from '../log/disk-usage.js';
import type { FoundPartition } from '../log/dump-targets.js';
import { firstDamage, nameOf } from '../log/run-log-check.js';
import { sizeText } from '../size-text.js';
import { checkTail } from './check-tail.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** About a second's work. */
const WHOLE_BYTES = 512 * 1024 * 1024;

export interface LogChecks {
  readonly fs: FileSystem;
  /** All of it, however much that is. */
  readonly full: boolean;
  readonly onBytes: (bytes: number) => void;
  isStopped(): boolean;
}

export async function checkLogs(partitions: readonly FoundPartition[], task: LogChecks): Promise<Finding[]> {
  const { fs } = task;
  let bytes = 0;
  for (const partition of partitions) bytes += (await diskUsage(fs, partition)).log;
  const isWhole = task.full || bytes <= WHOLE_BYTES;
  const findings: Finding[] = [];
  for (const partition of partitions) {
    if (task.isStopped()) break;
    const damage = await (isWhole ? checkWhole(partition, task) : checkTail(partition, fs));
    if (damage !== undefined) findings.push(damage);
    const unsettled = await checkSettled(fs, partition);
    if (unsettled !== undefined) findings.push(unsettled);
  }
  if (findings.some(({ verdict }) => verdict === 'fail')) return findings;
  if (task.isStopped()) return [...findings, warn('log', 'interrupted before all of it was looked at')];
  const what = isWhole ? `all ${sizeText(bytes)} of records` : `the ends of ${partitions.length} partitions`;
  const more = isWhole ? '' : ` (${sizeText(bytes)} in all: --full looks at everything)`;
  return [...findings, ok('log', `${what} are good${more}`)];
}

async function checkWhole(partition: FoundPartition, task: LogChecks): Promise<Finding | undefined> {
  const check = await checkPartition(partition, { ...task, deep: false });
  const error = firstDamage([check]);
  if (error === undefined) return undefined;
  return { ...fail('log', `${nameOf(check)}: ${error.message}`, error.hint), isDamage: true, place: error.place };
}

/** What a process that died, or a power loss, left for the next writer. */
async function checkSettled(fs: FileSystem, { owner, directory }: FoundPartition): Promise<Finding | undefined> {
  const name = owner === undefined ? directory.shown : `${owner.topic}:${owner.partition}`;
  let control: ControlFile;
  try {
    control = await ControlFile.open(fs, directory.path, 'read');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return warn(
      'settled',
      `${name} has no klog.end: a broker's, or a copy of one`,
      'Nothing to do: the next writer makes it',
    );
  }
  try {
    const { appended, safe, syncing } = await control.read();
    const log = await fs.stat(join(directory.path, segmentFileName(appended?.segmentBase ?? -1, '.log')));
    const isSettled =
      appended !== undefined &&
      safe !== undefined &&
      !syncing &&
      !isOdd(safe.layoutVersion) &&
      isOfThisBoot({ control, bootId: fs.bootId() }, safe) &&
      appended.offset === safe.offset &&
      log?.size === appended.position;
    if (isSettled) return undefined;
    const why = 'is being written, or was left unsettled by a crash, a restart or a copy';
    return warn('settled', `${name} ${why}`, 'Nothing to do: the next writer settles it');
  } finally {
    await control.close();
  }
}
