import { lstatSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { KlogError, systemReason } from '../errors.js';
import { findDirectory } from '../store/find-directory.js';
import type { CliContext } from './cli-context.js';
import { type FileSettings, homeDirectory, readConfigFiles } from './config-file.js';
import type { GlobalOptions } from './global-options.js';
import { exclude } from './option-errors.js';

export interface DirectoryLocation {
  /** Absolute. */
  readonly directory: string;
  readonly from: 'flag' | 'environment' | 'config file' | 'search';
  /** Something is there; whether it is a log shows when it is opened. */
  readonly exists: boolean;
}

/**
 * Where the log is: `-d`, `KLOG_DIR`, the config file, the nearest `.klog` at or above the working directory,
 * `./.klog`. Fails with KLOG_USAGE when a directory and a cluster are named at once, with KLOG_UNSUPPORTED for a
 * cluster.
 */
export async function resolveDirectory(
  options: Pick<GlobalOptions, 'dir' | 'brokers'>,
  context: Pick<CliContext, 'cwd' | 'env'>,
): Promise<DirectoryLocation> {
  const { env, cwd } = context;
  const named =
    choose(options.dir, options.brokers, 'flag', ['--dir', '--brokers']) ??
    choose(env.KLOG_DIR || undefined, env.KLOG_BROKERS || undefined, 'environment', ['KLOG_DIR', 'KLOG_BROKERS']) ??
    chooseFromFile(await readConfigFiles(context));
  if (named !== undefined) return locate(resolve(cwd, named.directory), named.from);
  const found = await findDirectory({ stat: statLink }, { cwd, home: homeDirectory(env) });
  return { directory: found.path, exists: found.exists, from: 'search' };
}

type Named = Pick<DirectoryLocation, 'directory' | 'from'>;

function chooseFromFile(settings: FileSettings): Named | undefined {
  return choose(settings.dir, settings.brokers, 'config file', ["'dir'", "'brokers' of the config file"]);
}

function choose(
  directory: string | undefined,
  brokers: string | undefined,
  from: DirectoryLocation['from'],
  both: readonly [string, string],
): Named | undefined {
  if (directory !== undefined && brokers !== undefined) exclude(...both);
  if (brokers !== undefined) {
    // Other tools take user:password@host: what stands before the host is nobody's business.
    const hosts = brokers.replaceAll(/[^,]*@/g, '');
    throw new KlogError('KLOG_UNSUPPORTED', `cannot connect to '${hosts}': this version works on directories only`, {
      hint: 'Name a directory with -d',
    });
  }
  if (directory === undefined) return undefined;
  if (directory === '') throw new KlogError('KLOG_USAGE', 'the name of the directory is empty');
  return { directory, from };
}

function locate(directory: string, from: DirectoryLocation['from']): DirectoryLocation {
  try {
    statSync(directory);
    return { directory, from, exists: true };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { directory, from, exists: false };
    const kind = code === 'EACCES' ? 'KLOG_PERMISSION_DENIED' : 'KLOG_BAD_DIRECTORY';
    const message = `${directory} cannot be the directory of a log: ${systemReason(error)}`;
    throw new KlogError(kind, message, { cause: error });
  }
}

/** What the search needs of a file system. It does not follow links. */
function statLink(path: string) {
  let stat: ReturnType<typeof lstatSync>;
  try {
    stat = lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (stat === undefined) return undefined;
  const kind = stat.isDirectory() ? ('directory' as const) : stat.isFile() ? ('file' as const) : ('other' as const);
  const { size, ino: inode, mtimeMs: modifiedMs, uid, mode, dev: device } = stat;
  return { kind, size, inode, modifiedMs, uid, mode, device };
}
