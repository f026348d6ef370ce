/**
 * What a crash has torn at the end of a segment goes out of the log, and is kept aside as `<segment>.cut-<position>`.
 * It was never said to be safe; it is kept for whoever wants to look.
 */
import { type FileSystem, isDiskFull, type OpenFile, writeFully } from './file-system.js';

const COPY_SIZE = 1024 * 1024;

/** Cuts `log` at `position`. With `makesRoom` what does not fit on the disk is not kept. */
export async function cutOff(fs: FileSystem, log: OpenFile, position: number, makesRoom: boolean): Promise<void> {
  const path = `${log.path}.cut-${position}`;
  try {
    await keepAside(fs, log, position, path);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    // A part of it is nothing to look at, and takes what room there is.
    await fs.unlink(path);
    if (!makesRoom) throw error;
  }
  await log.truncate(position);
}

async function keepAside(fs: FileSystem, log: OpenFile, from: number, path: string): Promise<void> {
  const { size } = await log.stat();
  const aside = await fs.open(path, 'create');
  try {
    await aside.truncate(0);
    const bytes = Buffer.allocUnsafe(Math.min(COPY_SIZE, size - from));
    for (let position = from; position < size; ) {
      const length = await log.read(bytes, 0, Math.min(bytes.length, size - position), position);
      await writeFully(aside, bytes, 0, length, position - from);
      position += length;
    }
    await aside.sync();
  } finally {
    await aside.close();
  }
}
