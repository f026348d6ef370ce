import { dirname, join, resolve } from 'node:path';
import { KlogError } from '../errors.js';
import type { FileSystem } from '../storage/file-system.js';
import { DEFAULT_DIRECTORY_NAME } from './layout.js';
import { statDirectory } from './stat-directory.js';

export interface FindDirectoryOptions {
  readonly cwd: string;
  /** The search does not go above it. */
  readonly home?: string | undefined;
  /** Who searches; default the process's own user. `undefined`: the system has no owners. */
  readonly uid?: number | undefined;
}

export interface FoundDirectory {
  readonly path: string;
  /** False: none found; `path` is where the first write will make it. */
  readonly exists: boolean;
}

/**
 * The nearest `.klog/` at or above `cwd`, else `cwd`/.klog. Not above the home directory, not across a file system, and
 * never one that another user owns: whoever can make a directory above this one could otherwise choose what is read and
 * where is written. A link is not followed, for the same reason.
 * @throws KlogError KLOG_PERMISSION_DENIED if `cwd`/.klog itself is another user's, KLOG_BAD_DIRECTORY if it is a file
 * or a link
 */
export async function findDirectory(
  fs: Pick<FileSystem, 'stat'>,
  options: FindDirectoryOptions,
): Promise<FoundDirectory> {
  const cwd = resolve(options.cwd);
  const home = options.home === undefined ? undefined : resolve(options.home);
  const uid = 'uid' in options ? options.uid : process.getuid?.();
  const device = (await statDirectory(fs, cwd))?.device;
  for (let at = cwd; ; at = dirname(at)) {
    const here = await statDirectory(fs, at);
    if (here === undefined || here.device !== device) break;
    const path = join(at, DEFAULT_DIRECTORY_NAME);
    const found = await fs.stat(path);
    if (found !== undefined) {
      const mine = uid === undefined || found.uid === uid;
      if (found.kind === 'directory' && mine) return { path, exists: true };
      if (at === cwd) throw unusable(path, mine ? undefined : found.uid, found.kind);
    }
    if (at === home || dirname(at) === at) break;
  }
  return { path: join(cwd, DEFAULT_DIRECTORY_NAME), exists: false };
}

function unusable(path: string, owner: number | undefined, kind: string): KlogError {
  if (owner !== undefined) {
    return new KlogError('KLOG_PERMISSION_DENIED', `${path} belongs to another user (uid ${owner})`, {
      file: path,
      hint: 'Name it with -d if you trust it',
    });
  }
  return new KlogError('KLOG_BAD_DIRECTORY', `${path} is a ${kind === 'file' ? 'file' : 'link'}, not a directory`, {
    file: path,
    hint: 'Name the directory with -d',
  });
}
