import { ControlFile } from '../../storage/control-file.js';
import type { FileSystem } from '../../storage/file-system.js';
import { isOfThisBoot } from '../../storage/log-context.js';

/** How far a partition is known to survive a power loss. */
export interface DurableLimit {
  readonly segmentBase: number;
  /** Bytes of that segment. */
  readonly position: number;
}

/**
 * What the control file of a partition says, without a lock: right or a little behind. `undefined`: there is none, or
 * it was written before this boot or for another copy of the directory, and what the disk holds now is durable anyway.
 */
export async function readDurableLimit(fs: FileSystem, directory: string): Promise<DurableLimit | undefined> {
  try {
    const control = await ControlFile.open(fs, directory, 'read');
    try {
      const { safe } = await control.read();
      return safe !== undefined && isOfThisBoot({ control, bootId: fs.bootId() }, safe) ? safe : undefined;
    } finally {
      await control.close();
    }
  } catch {
    // Missing, not readable, or damaged: the log is shown all the same.
    return undefined;
  }
}

/** Whether the segment's bytes up to `end` are durable. */
export function isDurable(limit: DurableLimit, baseOffset: number, end: number): boolean {
  return baseOffset < limit.segmentBase || (baseOffset === limit.segmentBase && end <= limit.position);
}
