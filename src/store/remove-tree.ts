import type { FileSystem } from '../storage/file-system.js';
import { systemErrorCode } from './system-error.js';

/**
 * Removes a directory and what is in it. Links are removed, not followed, `path` itself included. What is gone is no
 * error.
 */
export async function removeTree(fs: FileSystem, path: string): Promise<void> {
  try {
    const stat = await fs.stat(path);
    if (stat === undefined) return;
    if (stat.kind !== 'directory') return await fs.unlink(path);
    for (const name of await fs.readDirectory(path)) await removeTree(fs, `${path}/${name}`);
    await fs.removeDirectory(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}
