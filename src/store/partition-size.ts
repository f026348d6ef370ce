import type { FileSystem } from '../storage/file-system.js';
import { segmentBaseOffsets, segmentFileName } from '../storage/log-files.js';

export interface PartitionSize {
  readonly segments: number;
  /** Bytes of the `.log` files. */
  readonly sizeInBytes: number;
}

/** What a partition takes on the disk now, without opening it. A segment that goes meanwhile is not counted. */
export async function partitionSize(fs: FileSystem, directory: string): Promise<PartitionSize> {
  let segments = 0;
  let sizeInBytes = 0;
  for (const baseOffset of segmentBaseOffsets(await fs.readDirectory(directory))) {
    const stat = await fs.stat(`${directory}/${segmentFileName(baseOffset, '.log')}`);
    if (stat === undefined) continue;
    segments++;
    sizeInBytes += stat.size;
  }
  return { segments, sizeInBytes };
}
