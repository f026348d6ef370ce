/** What a partition's files take, by what they are for. */
import { join } from 'node:path';
import type { FileSystem } from '../../storage/file-system.js';
import { parseSegmentFileName } from '../../storage/log-files.js';
import type { FoundPartition } from './dump-targets.js';

/**
 * - `log`: records. `index`: the three kinds of indexes. `snapshot`: producers.
 * - `aside`: out of use, waiting to be removed or kept for a person to look at.
 * - `other`: the small files beside them.
 */
export interface DiskUsage {
  readonly log: number;
  readonly index: number;
  readonly snapshot: number;
  readonly aside: number;
  readonly other: number;
  readonly total: number;
}

export const USAGE_KINDS = ['log', 'index', 'snapshot', 'aside', 'other', 'total'] as const;

const ASIDE = /\.(?:cut|damaged)-\d+(?:-\d+)?$|\.(?:deleted|cleaned|swap|tmp)$/;

export async function diskUsage(fs: FileSystem, { directory }: FoundPartition): Promise<DiskUsage> {
  const usage = { log: 0, index: 0, snapshot: 0, aside: 0, other: 0, total: 0 };
  for (const name of directory.names) {
    const stat = await fs.stat(join(directory.path, name));
    // Removed since it was listed.
    if (stat === undefined || stat.kind !== 'file') continue;
    usage[kindOf(name)] += stat.size;
    usage.total += stat.size;
  }
  return usage;
}

function kindOf(name: string): 'log' | 'index' | 'snapshot' | 'aside' | 'other' {
  if (ASIDE.test(name)) return 'aside';
  const suffix = parseSegmentFileName(name)?.suffix;
  if (suffix === '.log') return 'log';
  if (suffix === '.snapshot') return 'snapshot';
  return suffix === undefined ? 'other' : 'index';
}

export function addUsage(a: DiskUsage, b: DiskUsage): DiskUsage {
  const sums = USAGE_KINDS.map((kind) => [kind, a[kind] + b[kind]] as const);
  return Object.fromEntries(sums) as unknown as DiskUsage;
}
