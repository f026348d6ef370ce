import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KlogError } from '../errors.js';
import type { CliContext } from './cli-context.js';
import { directoriesUpward, type FileSettings, isOwn, readConfigFiles } from './config-file.js';
import type { GlobalOptions } from './global-options.js';

export interface DirectoryLocation {
  /** Absolute. */
  readonly directory: string;
  readonly from: 'flag' | 'environment' | 'config file' | 'found' | 'default';
  readonly exists: boolean;
}

const DIRECTORY_NAME = '.klog';

/**
 * Where the log is: `-d`, `KLOG_DIR`, the config file, the nearest `.klog` at or above the working directory, `./.klog`.
 * Fails with KLOG_USAGE when a directory and a cluster are named at once, with KLOG_UNSUPPORTED for a cluster.
 */
export async function resolveDirectory(
  options: Pick<GlobalOptions, 'dir' | 'brokers'>,
  context: Pick<CliContext, 'cwd' | 'env'>,
): Promise<DirectoryLocation> {
  const { env, cwd } = context;
  const named =
    choose(options.dir, options.brokers, 'flag', '--dir and --brokers') ??
    choose(env.KLOG_DIR || undefined, env.KLOG_BROKERS || undefined, 'environment', 'KLOG_DIR and KLOG_BROKERS') ??
    chooseFromFile(await readConfigFiles(context));
  if (named !== undefined) return locate(resolve(cwd, named.directory), named.from);
  for (const directory of directoriesUpward(context)) {
    const candidate = join(directory, DIRECTORY_NAME);
    if (isOwn(candidate, 'directory')) return { directory: candidate, from: 'found', exists: true };
  }
  return locate(join(cwd, DIRECTORY_NAME), 'default');
}

type Named = Pick<DirectoryLocation, 'directory' | 'from'>;

function chooseFromFile(settings: FileSettings): Named | undefined {
  return choose(settings.dir, settings.brokers, 'config file', "'dir' and 'brokers' of the config file");
}

function choose(
  directory: string | undefined,
  brokers: string | undefined,
  from: DirectoryLocation['from'],
  both: string,
): Named | undefined {
  if (directory !== undefined && brokers !== undefined) {
    throw new KlogError('KLOG_USAGE', `${both} exclude each other`, { hint: 'Give one of the two' });
  }
  if (brokers !== undefined) {
    throw new KlogError('KLOG_UNSUPPORTED', `cannot connect to '${brokers}': this version works on directories only`, {
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
    throw new KlogError(kind, `${directory} cannot be the directory of a log: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
