import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Which room may import which (ARCHITECTURE.md, "The ladder"). A room's own files are always allowed. `client packages`
 * and the like are npm packages and are not judged here.
 */
const ALLOWED: Record<string, readonly string[]> = {
  errors: [],
  format: ['errors'],
  storage: ['errors', 'format'],
  store: ['errors', 'format', 'storage'],
  groups: ['errors', 'format', 'storage', 'store'],
  clients: ['errors', 'format'],
  'clients/local': ['errors', 'format', 'clients', 'store', 'groups'],
  replay: ['errors', 'format', 'clients'],
  handlers: ['errors', 'format', 'clients'],
  archive: ['errors', 'format'],
  index: ['errors', 'format', 'clients', 'clients/local'],
  cli: ['errors', 'format', 'clients', 'clients/local', 'replay', 'handlers', 'archive'],
};

/** Files with a licence of their own, each for the reason given. */
const EXCEPTIONS: Record<string, readonly string[]> = {
  // Finding the directory is the store's knowledge; the command line only says where to begin.
  'src/cli/resolve-directory.ts': ['store'],
  'src/cli/open-client.ts': ['store'],
  // Stopping a process is the command line's business, which locks it holds the storage's.
  'src/cli/suspend.ts': ['storage'],
};
/** The offline `log` commands and the doctor look at any directory in Kafka's format, also one that no store opens. */
const OFFLINE_ROOM = /^src\/cli\/(commands\/log[^/]*|(log|doctor)\/.*)\.ts$/;

/** node:fs belongs to the seam, and to the command line's own input and output. */
const FILE_SYSTEM_ROOMS = /^src\/(storage\/(file-system-node|native-locks|lock-holder)|cli\/.*)\.ts$/;

const root = resolve(import.meta.dirname, '..');

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

function roomOf(path: string): string {
  const [, first = '', second = ''] = relative(root, path).split('/');
  if (first === 'clients' && !/\.[jt]s$/.test(second)) return `clients/${second}`;
  return first.replace(/\.[jt]s$/, '');
}

function importsOf(text: string): string[] {
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  return [...found].map((match) => match[1]!);
}

const files = sourceFiles(join(root, 'src')).map((path) => ({
  path,
  name: relative(root, path),
  imports: importsOf(readFileSync(path, 'utf8')),
}));

describe('layers', () => {
  it('knows every room', () => {
    expect([...new Set(files.map(({ path }) => roomOf(path)))].filter((room) => !(room in ALLOWED))).toEqual([]);
  });

  it('point one way: no file imports a room that it may not know', () => {
    const wrong = files.flatMap(({ path, name, imports }) => {
      const room = roomOf(path);
      const allowed = [room, ...(ALLOWED[room] ?? []), ...(EXCEPTIONS[name] ?? [])];
      if (OFFLINE_ROOM.test(name)) allowed.push('storage', 'store');
      return imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => roomOf(resolve(dirname(path), specifier)))
        .filter((target) => !allowed.includes(target))
        .map((target) => `${name} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('touch the disk through the seam alone', () => {
    const wrong = files
      .filter(({ name, imports }) => imports.some((s) => /^node:fs/.test(s)) && !FILE_SYSTEM_ROOMS.test(name))
      .map(({ name }) => name);
    expect(wrong).toEqual([]);
  });

  it('keep the format pure: no files, clock or randomness', () => {
    const wrong = files
      .filter(({ name }) => name.startsWith('src/format/'))
      .filter(({ path }) => /Date\.now|Math\.random|new Date\(\)|performance\.now/.test(readFileSync(path, 'utf8')))
      .map(({ name }) => name);
    expect(wrong).toEqual([]);
  });
});
