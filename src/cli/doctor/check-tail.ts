import { join } from 'node:path';
import type { FileSystem, OpenFile } from '../../storage/file-system.js';
import { segmentBaseOffsets, segmentFileName } from '../../storage/log-files.js';
import { OffsetIndex } from '../../storage/offset-index.js';
import { systemErrorCode } from '../../store/system-error.js';
import type { FoundPartition } from '../log/dump-targets.js';
import { readDurableLimit } from '../log/durable-limit.js';
import { SegmentWalk } from '../log/segment-walk.js';
import { type Finding, fail } from './finding.js';

/** Looks at what stands behind the last index entry of the last segment. */
export async function checkTail(partition: FoundPartition, fs: FileSystem): Promise<Finding | undefined> {
  const { path, shown } = partition.directory;
  const bases = segmentBaseOffsets(await fs.readDirectory(path));
  const durable = await readDurableLimit(fs, path);
  const baseOffset = durable?.segmentBase ?? bases.at(-1);
  if (baseOffset === undefined) return undefined;
  const name = segmentFileName(baseOffset, '.log');
  const { topic, partition: number } = partition.owner ?? {};
  const file = join(shown, name);
  const damage = (reason: string, position: number, offset: number): Finding => ({
    ...fail('log', `${file} is damaged at position ${position}: ${reason}`, '`klog log check` looks at everything'),
    isDamage: true,
    place: { topic, partition: number, file, position, offset },
  });
  let log: OpenFile;
  try {
    log = await fs.open(join(path, name), 'read');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return durable === undefined ? undefined : damage('it is missing', 0, baseOffset);
  }
  try {
    const { size } = await log.stat();
    const limit = durable?.position ?? size;
    if (size < limit) return damage(`it has ${size} bytes, and ${limit} were safe`, size, baseOffset);
    const from = await lastEntry(fs, join(path, segmentFileName(baseOffset, '.index')), baseOffset, limit);
    const walk = new SegmentWalk(log, limit, { from, minOffset: baseOffset });
    while (await walk.next()) {
      if (walk.problem !== undefined) return damage(walk.problem, walk.fields.position, walk.nextOffset);
    }
    // Without a control file what is not whole at the end is what a crash leaves.
    if (durable === undefined || walk.stop === 'end') return undefined;
    return damage(walk.stopProblem || 'a batch is not whole', walk.position, walk.nextOffset);
  } finally {
    await log.close();
  }
}

/** Where the batch of the last index entry begins; 0 without one. */
async function lastEntry(fs: FileSystem, path: string, baseOffset: number, limit: number): Promise<number> {
  let file: OpenFile;
  try {
    file = await fs.open(path, 'read');
  } catch {
    return 0;
  }
  try {
    const index = new OffsetIndex(file, baseOffset);
    const size = await index.usableSize((await file.stat()).size);
    const { position } = await index.lookup(Number.MAX_SAFE_INTEGER, size);
    return position < limit ? position : 0;
  } finally {
    await file.close();
  }
}
