import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { BUNDLE, KLOG, klog, plainEnvironment } from '../support/klog-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** What a shell says before and behind `klog`, so that it runs at real pipes: those of `spawn` are sockets. */
interface Plumbing {
  readonly before?: string;
  readonly behind?: string;
}

/** Node's own modules that a run has loaded when it ends: counted, since times of a shared machine tell nothing. */
function modulesLoaded(
  args: readonly string[],
  cwd: string,
  { before = '', behind = '> /dev/null' }: Plumbing = {},
): string[] {
  const recorder = join(cwd, 'record-modules.cjs');
  const file = join(cwd, 'modules.json');
  writeFileSync(
    recorder,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.moduleLoadList)));`,
  );
  const env = plainEnvironment({ HOME: cwd });
  const script = `${before} "$0" --require "$@" ${behind}`;
  const words = ['-c', script, process.execPath, recorder, ...args];
  const { status } = spawnSync('sh', words, { cwd, env, stdio: ['ignore', 'ignore', 'ignore'] });
  expect(status, args.join(' ')).toBe(0);
  return JSON.parse(readFileSync(file, 'utf8')) as string[];
}

it.each<{ line: string; plumbing?: Plumbing; limit?: number }>([
  { line: '--help' },
  { line: 'topic list' },
  { line: 'topic list', plumbing: { behind: '| cat' } },
  { line: 'produce orders --value x' },
  { line: 'produce orders', plumbing: { before: 'printf a |' } },
  { line: 'consume orders' },
  { line: 'consume orders', plumbing: { behind: '| cat' } },
  // The clock of a follower, and what watches a file.
  { line: 'tail orders' },
])('loads next to none of the modules of Node beyond what an empty program does: $line', async ({ line, plumbing }) => {
  const cwd = temporaryDirectory();
  await klog(['topic', 'create', 'orders'], { cwd });
  const empty = new Set(modulesLoaded(['-e', '0'], cwd));
  const more = modulesLoaded([KLOG, ...line.split(' ')], cwd, plumbing).filter((name) => !empty.has(name));
  // Such as stream, net and tty, crypto and zlib, worker_threads and child_process: a millisecond and more each.
  expect(more.filter((name) => !FEW.includes(name))).toEqual([]);
});

/** What a start may load: to run the bundle, and to hear of signals. */
const FEW = ['vm', 'process', 'internal/abort_controller']
  .map((name) => `NativeModule ${name}`)
  .concat('Internal Binding signal_wrap');

it('has code caches that this Node takes, those of everyday commands without what these do not run', () => {
  const script = `
    const { readdirSync, readFileSync } = require('node:fs');
    const source = readFileSync(process.argv[1], 'latin1');
    const caches = readdirSync('dist/cache').map((name) => {
      const cachedData = readFileSync('dist/cache/' + name).subarray(source.indexOf('\\n'));
      const { cachedDataRejected } = new (require('node:vm').Script)(source, { cachedData });
      return { name, bytes: cachedData.length, cachedDataRejected };
    });
    console.log(JSON.stringify(caches));`;
  const cwd = join(import.meta.dirname, '..', '..');
  const { stdout } = spawnSync(process.execPath, ['-e', script, BUNDLE], { cwd, env: plainEnvironment() });
  const caches = JSON.parse(stdout.toString()) as { name: string; bytes: number; cachedDataRejected: boolean }[];
  expect(caches.map(({ name }) => name).sort()).toEqual(['consume', 'help', 'other', 'produce', 'topic']);
  expect(caches.filter(({ cachedDataRejected }) => cachedDataRejected)).toEqual([]);
  const share = (name: string) => bytesOf(caches, name) / bytesOf(caches, 'other');
  for (const name of ['produce', 'consume', 'topic']) expect(share(name), name).toBeLessThan(0.85);
  expect(share('help')).toBeLessThan(0.5);
});

function bytesOf(caches: readonly { name: string; bytes: number }[], name: string): number {
  return caches.find((cache) => cache.name === name)?.bytes ?? Number.NaN;
}

it('runs as the bundle alone, without the code cache', () => {
  const { status, stdout } = spawnSync(process.execPath, [BUNDLE, '--version'], {
    env: plainEnvironment(),
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${manifest.version}\n` });
});

/** Packages, and files beside the bundle, that a run has loaded when it ends. */
function packagesLoaded(args: readonly string[], cwd: string): string[] {
  const recorder = join(cwd, 'record-packages.cjs');
  const file = join(cwd, 'packages.json');
  writeFileSync(
    recorder,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify(Object.keys(require.cache))));`,
  );
  const env = plainEnvironment({ HOME: cwd });
  const { status } = spawnSync(process.execPath, ['--require', recorder, KLOG, ...args], { cwd, env });
  expect(status, args.join(' ')).toBe(0);
  const names = (JSON.parse(readFileSync(file, 'utf8')) as string[]).map(
    (path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1],
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

it('loads of all packages only the locks for the everyday commands', async () => {
  const cwd = temporaryDirectory();
  await klog(['topic', 'create', 'orders'], { cwd });
  for (const line of ['produce orders --value x', 'consume orders', 'consume orders -J', 'tail orders', 'topic list']) {
    expect(packagesLoaded(line.split(' '), cwd), line).toEqual(['fs-native-extensions']);
  }
});

const SOURCES = join(import.meta.dirname, '..', '..', 'src');

/** Files that are evaluated with `file`: everything it imports that is no type and not asked for later. */
function evaluatedWith(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)\.js';/gms);
  for (const [, path] of imports) evaluatedWith(join(file, '..', `${path}.ts`), found);
  return found;
}

it('evaluates the readers of csv, JSON and layouts only when one of them is asked for', () => {
  const evaluated = evaluatedWith(join(SOURCES, 'cli', 'commands', 'produce.ts'));
  const readers = [
    'json-record-input.ts',
    'format-language/format-reader.ts',
    'whole-word/separated-values-input.ts',
    'whole-word/kafka-input.ts',
  ].map((name) => join(SOURCES, 'cli', 'record-format', name));
  expect(evaluated.size).toBeGreaterThan(30);
  for (const reader of readers) {
    expect(existsSync(reader), reader).toBe(true);
    expect(evaluated, reader).not.toContain(reader);
  }
});

it('evaluates neither consumers nor printers to produce', () => {
  const evaluated = evaluatedWith(join(SOURCES, 'cli', 'commands', 'produce.ts'));
  evaluatedWith(join(SOURCES, 'clients', 'local', 'open-client.ts'), evaluated);
  const others = [
    'clients/local/local-client.ts',
    'clients/local/local-consumer.ts',
    'storage/partition-reader.ts',
    'storage/segment-lookup.ts',
    'format/record-cursor.ts',
    'cli/record-format/create-printer.ts',
    'cli/produce/reported-records.ts',
  ].map((name) => join(SOURCES, name));
  expect(evaluated.size).toBeGreaterThan(100);
  for (const other of others) {
    expect(existsSync(other), other).toBe(true);
    expect(evaluated, other).not.toContain(other);
  }
});
