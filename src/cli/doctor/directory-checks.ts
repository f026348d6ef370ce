/** The data directory as such: where it lies, whose it is, which version it has. */
import { accessSync, constants, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { KlogError } from '../../errors.js';
import { type FileStat, type FileSystem, readWhole } from '../../storage/file-system.js';
import { checkKlogJson, damagedKlogJson, decodeKlogJson, lockMechanismOf } from '../../store/klog-json.js';
import { KLOG_JSON, LOG_DIRECTORY, TOPICS_DIRECTORY } from '../../store/layout.js';
import { judgeFileSystem } from '../../store/network-file-system.js';
import { sizeText } from '../size-text.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** Below it a warning: segments are up to 1 GiB. */
const LITTLE_SPACE = 1024 * 1024 * 1024;
const NO_SPACE = 8 * 1024 * 1024;
const FUTURE_MS = 60 * 60 * 1000;
const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;

export async function checkDirectory(
  fs: FileSystem,
  directory: string,
  now: number,
  platform: string = process.platform,
): Promise<Finding[]> {
  return [
    ...(await checkFileSystem(fs, directory)),
    await checkVersion(fs, directory, platform),
    ...(await checkPermissions(fs, directory, now)),
  ];
}

async function checkFileSystem(fs: FileSystem, directory: string): Promise<Finding[]> {
  const type = (await fs.statfsType?.(directory)) ?? 0;
  const { refused, warning } = judgeFileSystem(type);
  const name = 'file system';
  const findings: Finding[] = [];
  if (refused !== undefined) {
    const hint = 'Its locks and syncs are not dependable: use a local directory';
    findings.push(fail(name, `${directory} is on a network file system (${refused})`, hint));
  } else if (warning !== undefined) {
    findings.push(warn(name, `${directory} is on ${warning}`, 'klog cannot know whether its locks and syncs hold'));
  } else findings.push(ok(name, `local (type 0x${(type >>> 0).toString(16)})`));
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  const text = `${sizeText(free)} free`;
  const hint = 'Free some: writes fail when it is used up, reading goes on';
  if (free < NO_SPACE) findings.push(fail('space', text, hint));
  else findings.push(free < LITTLE_SPACE ? warn('space', text, hint) : ok('space', text));
  return findings;
}

async function checkVersion(fs: FileSystem, directory: string, platform: string): Promise<Finding> {
  const file = join(directory, KLOG_JSON);
  try {
    const bytes = await readWhole(fs, file);
    if (bytes === undefined && (await hasParts(fs, directory))) throw damagedKlogJson(file, 'it is missing');
    if (bytes === undefined)
      return fail('version', `${file} is missing: not a klog directory`, "`klog log check PATH` looks at a broker's");
    const content = decodeKlogJson(bytes, file);
    checkKlogJson(content, directory, 'write', lockMechanismOf(platform));
    return ok('version', `format version ${content.formatVersion}, ${content.lockMechanism} locks`);
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
    const isDamage = error.code === 'CORRUPT_MESSAGE';
    return { ...fail('version', error.message, error.hint), isDamage, place: error.place };
  }
}

/** Whether it is klog's all the same. */
async function hasParts(fs: FileSystem, directory: string): Promise<boolean> {
  const kinds = [TOPICS_DIRECTORY, LOG_DIRECTORY].map(async (part) => (await fs.stat(join(directory, part)))?.kind);
  return (await Promise.all(kinds)).every((kind) => kind === 'directory');
}

async function checkPermissions(fs: FileSystem, directory: string, now: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  const uid = process.getuid?.();
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const isReadOnly = (error as NodeJS.ErrnoException).code === 'EROFS';
    const message = isReadOnly ? 'the file system is mounted read-only' : `you may not write to ${directory}`;
    findings.push(warn('permissions', message, 'The log can be read; what needs settling is not settled'));
  }
  const open: string[] = [];
  const others: string[] = [];
  let future: string | undefined;
  for await (const [path, stat] of filesIn(fs, directory)) {
    if (stat.kind !== 'other' && (stat.mode & (OTHERS_WRITE | GROUP_WRITES)) !== 0) open.push(path);
    if (uid !== undefined && stat.uid !== uid) others.push(path);
    if (stat.modifiedMs > now + FUTURE_MS) future ??= path;
  }
  if (open.length > 0) {
    findings.push(warn('permissions', `others can write to ${listed(open)}`, `chmod -R go-w ${directory}`));
  }
  if (others.length > 0) {
    findings.push(warn('permissions', `not yours: ${listed(others)}`, 'Run klog as their owner, or chown them'));
  }
  if (findings.length === 0) findings.push(ok('permissions', 'yours, and nobody else can write'));
  if (future !== undefined) {
    findings.push(warn('clock', `${future} was written in the future`, 'The clock was, or is, wrong'));
  }
  return findings;
}

function listed(paths: readonly string[]): string {
  return paths.length === 1 ? paths[0]! : `${paths[0]} and ${paths.length - 1} more`;
}

async function* filesIn(fs: FileSystem, directory: string): AsyncGenerator<readonly [string, FileStat]> {
  const own = await fs.stat(`${directory}/.`);
  if (own !== undefined) yield [directory, own];
  for (const below of ['', LOG_DIRECTORY, TOPICS_DIRECTORY]) {
    const parent = join(directory, below);
    for (const name of await namesIn(fs, parent)) {
      const path = join(parent, name);
      const stat = await fs.stat(path);
      if (stat === undefined) continue;
      yield [path, stat];
      if (below !== LOG_DIRECTORY || stat.kind !== 'directory') continue;
      for (const file of await namesIn(fs, path)) {
        const fileStat = await fs.stat(join(path, file));
        if (fileStat !== undefined) yield [join(path, file), fileStat];
      }
    }
  }
}

/** What is not there, or may not be read, is told elsewhere. */
async function namesIn(fs: FileSystem, directory: string): Promise<string[]> {
  try {
    return await fs.readDirectory(directory);
  } catch {
    return [];
  }
}
