import { lstatSync, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { KlogError, systemReason } from '../errors.js';
import type { CliContext } from './cli-context.js';
import { withoutExcerpt } from './parser-message.js';
import { parseYaml } from './yaml-text.js';

/** What `klog.config.json` or `klog.config.yaml` may say; the names are those of the flags. */
export interface FileSettings {
  /** Relative to the file. */
  readonly dir?: string;
  readonly brokers?: string;
  readonly format?: string;
  readonly acks?: string;
  readonly 'isolation-level'?: string;
}

const NAMES = [
  'dir',
  'brokers',
  'format',
  'acks',
  'isolation-level',
] as const satisfies readonly (keyof FileSettings)[];
const PROJECT_FILES = ['klog.config.json', 'klog.config.yaml'];

const settingsByContext = new WeakMap<object, Promise<FileSettings>>();

/**
 * Settings of the nearest file at or above the working directory, over those of `~/.config/klog/config.yaml`. A command
 * looks once.
 */
export function readConfigFiles(context: Pick<CliContext, 'cwd' | 'env'>): Promise<FileSettings> {
  let settings = settingsByContext.get(context);
  if (settings === undefined) {
    settings = findSettings(context);
    settingsByContext.set(context, settings);
  }
  return settings;
}

async function findSettings(context: Pick<CliContext, 'cwd' | 'env'>): Promise<FileSettings> {
  let settings: FileSettings = {};
  for (const path of configFiles(context)) settings = { ...settings, ...(await readConfigFile(path)) };
  return settings;
}

/** Those that are there, the strongest last. */
function configFiles(context: Pick<CliContext, 'cwd' | 'env'>): string[] {
  const found: string[] = [];
  const base = context.env.XDG_CONFIG_HOME || join(homeDirectory(context.env), '.config');
  const personal = join(base, 'klog', 'config.yaml');
  if (statOf(personal)?.isFile()) found.push(personal);
  for (const directory of directoriesUpward(context)) {
    const path = PROJECT_FILES.map((name) => join(directory, name)).find((candidate) => isOwnFile(candidate));
    if (path === undefined) continue;
    found.push(path);
    break;
  }
  return found;
}

async function readConfigFile(path: string): Promise<FileSettings> {
  const { lilconfig } = await import('lilconfig');
  let content: unknown;
  try {
    const loaders = {
      '.yaml': async (_: string, text: string) => (await parseYaml(text)).document.toJS(),
      '.json': (_: string, text: string) => JSON.parse(text),
    };
    content = (await lilconfig('klog', { loaders }).load(path))?.config ?? {};
  } catch (error) {
    const isSystemError = (error as NodeJS.ErrnoException).syscall !== undefined;
    const why = isSystemError ? systemReason(error) : withoutExcerpt(error);
    throw new KlogError('INVALID_CONFIG', `config file cannot be read: ${why}`, { file: path });
  }
  return checkSettings(content, path);
}

function checkSettings(content: unknown, path: string): FileSettings {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new KlogError('INVALID_CONFIG', 'config file must hold names and values', { file: path });
  }
  for (const [name, value] of Object.entries(content)) {
    if (!NAMES.includes(name as keyof FileSettings)) {
      const hint = `Settings are ${NAMES.join(', ')}`;
      throw new KlogError('INVALID_CONFIG', `unknown setting '${name}'`, { file: path, hint });
    }
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new KlogError('INVALID_CONFIG', `setting '${name}' must be text`, { file: path });
    }
  }
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(content)) settings[name] = String(value);
  return settings.dir === undefined ? settings : { ...settings, dir: resolve(dirname(path), settings.dir) };
}

/** `$HOME`, as a shell sees it. */
export function homeDirectory(env: CliContext['env']): string {
  return env.HOME || homedir();
}

/**
 * The working directory and those above it: not above `$HOME`, and never across a file system, where directories are
 * others' business.
 */
function* directoriesUpward(context: Pick<CliContext, 'cwd' | 'env'>): Generator<string> {
  const home = statOf(homeDirectory(context.env));
  const start = statOf(context.cwd);
  let directory = context.cwd;
  for (;;) {
    const stat = statOf(directory);
    if (stat === undefined || stat.dev !== start?.dev) return;
    yield directory;
    const isHome = home !== undefined && stat.ino === home.ino && stat.dev === home.dev;
    const parent = dirname(directory);
    if (isHome || parent === directory) return;
    directory = parent;
  }
}

/** There, and this user's own, as is the link that leads to it. What others own is never picked up by chance. */
function isOwnFile(path: string): boolean {
  const stat = statOf(path);
  if (!stat?.isFile()) return false;
  const user = process.getuid?.();
  return user === undefined || (stat.uid === user && lstatSync(path).uid === user);
}

function statOf(path: string): Stats | undefined {
  try {
    // What is missing is looked for in every directory upward: an error object for each would cost more than the look.
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
