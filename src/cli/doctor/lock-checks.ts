import { join } from 'node:path';
import { CONTROL_FILE_NAME } from '../../storage/control-file.js';
import type { FileSystem, LockRange } from '../../storage/file-system.js';
import { GATES_RANGE } from '../../storage/leader-gates.js';
import { APPEND_RANGE, QUEUE_RANGE, SYNC_RANGE, UPKEEP_RANGE } from '../../storage/partition-locks.js';
import { ADMIN_LOCK, LOG_DIRECTORY, LOG_LOCK, TOPICS_DIRECTORY } from '../../store/layout.js';
import type { FoundPartition } from '../log/dump-targets.js';
import { type Finding, ok, warn } from './finding.js';
import { type HeldLock, ownerOf, readLockTable } from './lock-table.js';

const PARTITION_LOCKS: readonly (readonly [string, LockRange])[] = [
  ['queue', QUEUE_RANGE],
  ['append', APPEND_RANGE],
  ['sync', SYNC_RANGE],
  ['upkeep', UPKEEP_RANGE],
  ['gate', GATES_RANGE],
];

interface LockFile {
  readonly inode: number;
  readonly device: number | undefined;
  /** For people: `orders:0`. */
  readonly of: string;
  readonly locks: readonly (readonly [string, LockRange])[];
}

/** Who holds locks of the directory, and whether one of them is stopped. Takes none. */
export async function checkLockHolders(
  fs: FileSystem,
  directory: string,
  partitions: readonly FoundPartition[],
): Promise<Finding[]> {
  const whole: readonly (readonly [string, LockRange])[] = [['whole', { start: 0, length: 0 }]];
  const files: LockFile[] = [];
  const add = async (path: string, of: string, locks: LockFile['locks']) => {
    const stat = await fs.stat(path);
    if (stat !== undefined) files.push({ inode: stat.inode, device: stat.device, of, locks });
  };
  await add(join(directory, LOG_DIRECTORY, LOG_LOCK), 'the directory', whole);
  await add(join(directory, TOPICS_DIRECTORY, ADMIN_LOCK), 'the list of topics', whole);
  for (const { directory: place, owner } of partitions) {
    const of = owner === undefined ? place.shown : `${owner.topic}:${owner.partition}`;
    await add(join(place.path, CONTROL_FILE_NAME), of, PARTITION_LOCKS);
  }
  const held = readLockTable(new Set(files.map(({ inode }) => inode)));
  const byPid = new Map<number, string[]>();
  for (const file of files) {
    for (const lock of held) {
      if (lock.inode !== file.inode || (file.device !== undefined && lock.device !== file.device)) continue;
      for (const text of namesOf(lock, file)) {
        const texts = byPid.get(lock.pid);
        if (texts === undefined) byPid.set(lock.pid, [text]);
        else texts.push(text);
      }
    }
  }
  const findings = [...byPid].filter(([pid]) => pid !== process.pid).map(([pid, texts]) => findingOf(pid, texts));
  return findings.length === 0 ? [ok('holders', 'no other process has the directory open')] : findings;
}

function namesOf(lock: HeldLock, file: LockFile): string[] {
  return file.locks
    .filter(
      ([, { start, length }]) =>
        lock.start < (length === 0 ? Number.POSITIVE_INFINITY : start + length) && lock.end > start,
    )
    .map(([name]) =>
      name === 'whole' ? `${file.of} (${lock.isExclusive ? 'exclusive' : 'shared'})` : `${name} of ${file.of}`,
    );
}

/** So many are named of each process. */
const MOST_NAMED = 5;

function findingOf(pid: number, texts: readonly string[]): Finding {
  const { command, isStopped } = ownerOf(pid);
  const more = texts.length > MOST_NAMED ? ` and ${texts.length - MOST_NAMED} more` : '';
  const message = `process ${pid} (${command}) holds ${texts.slice(0, MOST_NAMED).join(', ')}${more}`;
  if (!isStopped) return ok('holders', message);
  return warn(
    'holders',
    `${message}, and is stopped: others wait for it`,
    `kill -CONT ${pid} lets it go on, kill ${pid} ends it`,
  );
}
