import type { FileStat, FileSystem } from '../storage/file-system.js';
import { systemErrorCode } from './system-error.js';

/** The directory at a path, through links. `undefined`: nothing there, or something else. */
export async function statDirectory(fs: Pick<FileSystem, 'stat'>, path: string): Promise<FileStat | undefined> {
  try {
    return await fs.stat(`${path}/.`);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOTDIR' || code === 'ENOENT' || code === 'ELOOP') return undefined;
    throw error;
  }
}
