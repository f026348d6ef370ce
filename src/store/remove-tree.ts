import type { FileSystem } from '../storage/file-system.js';
import { systemErrorCode } from './system-error.js';

/** Removes a directory and what is in it. Links are removed, not followed. What is gone already is no error. */
export async function removeTree(fs: FileSystem, path: string): Promise<void> {
  try {
    for (const name of await fs.readDirectory(path)) {
      const child = `${path}/${name}`;
      if ((await fs.stat(child))?.kind === 'directory') await removeTree(fs, child);
      else await fs.unlink(child);
    }
    await fs.removeDirectory(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}
