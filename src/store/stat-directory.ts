import { KlogError } from '../errors.js';
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

/**
 * Nothing inside a data directory may be a link: whoever planted it would have klog write and delete elsewhere.
 * KLOG_BAD_DIRECTORY.
 */
export async function assertNoLink(fs: Pick<FileSystem, 'stat'>, path: string): Promise<void> {
  if ((await fs.stat(path))?.kind !== 'other') return;
  throw new KlogError('KLOG_BAD_DIRECTORY', `${path} is a link, not a directory`, {
    file: path,
    hint: 'Links inside a data directory are not followed: look who put it there; to use another disk, mount it there',
  });
}
