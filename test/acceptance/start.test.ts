import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
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

/** What every start loads: to run a bundle, and to stop between locks. */
const FEW = ['NativeModule vm', 'Internal Binding signal_wrap'];

/** To be stopped in order. */
const STOPS = ['NativeModule internal/abort_controller'];

it.each<{ line: string; plumbing?: Plumbing; more?: readonly string[] }>([
  { line: '--help' },
  { line: 'topic list' },
  { line: 'topic list', plumbing: { behind: '| cat' } },
  { line: 'produce orders --value x', more: STOPS },
  { line: 'produce orders', plumbing: { before: 'printf a |' }, more: STOPS },
  { line: 'consume orders', more: STOPS },
  { line: 'consume orders', plumbing: { behind: '| cat' }, more: STOPS },
  // The clock of a follower, and what watches a file.
  { line: 'tail orders', more: STOPS },
])(
  'loads next to none of the modules of Node beyond what an empty program does: $line',
  async ({ line, plumbing, more = [] }) => {
    const cwd = temporaryDirectory();
    await klog(['topic', 'create', 'orders'], { cwd });
    const empty = new Set(modulesLoaded(['-e', '0'], cwd));
    const loaded = modulesLoaded([KLOG, ...line.split(' ')], cwd, plumbing).filter((name) => !empty.has(name));
    // Such as stream, net and tty, crypto and zlib, worker_threads and child_process: a millisecond and more each.
    expect(loaded.filter((name) => !FEW.includes(name) && !more.includes(name))).toEqual([]);
  },
);

it('has bundles and code caches that this Node takes, those of everyday commands without what these do not run', () => {
  const script = `
    const { readFileSync } = require('node:fs');
    const starts = process.argv.slice(1).map((name) => {
      const source = readFileSync('dist/' + (name === 'other' ? 'klog.cjs' : 'start/' + name + '.js'), 'latin1');
      const cache = readFileSync('dist/start/' + name + '.cache');
      const idLength = source.indexOf('\\n');
      const cachedData = cache.subarray(idLength);
      const { cachedDataRejected } = new (require('node:vm').Script)(source, { cachedData });
      const isOfBundle = cache.latin1Slice(0, idLength) === source.slice(0, idLength);
      return [name, { isTaken: isOfBundle && !cachedDataRejected, source: source.length, cache: cachedData.length }];
    });
    console.log(JSON.stringify(Object.fromEntries(starts)));`;
  const cwd = join(import.meta.dirname, '..', '..');
  const names = ['help', 'produce', 'consume', 'topic', 'list', 'other'];
  const { stdout } = spawnSync(process.execPath, ['-e', script, ...names], { cwd, env: plainEnvironment() });
  const starts = JSON.parse(stdout.toString()) as Record<string, { isTaken: boolean; source: number; cache: number }>;
  const share = (name: string, part: 'source' | 'cache') => starts[name]![part] / starts.other![part];
  for (const name of names) expect(starts[name]!.isTaken, name).toBe(true);
  expect(readdirSync(join(cwd, 'dist', 'start')).length).toBe(2 * names.length - 1);
  for (const name of ['produce', 'consume', 'topic', 'list']) {
    expect(share(name, 'source'), name).toBeLessThan(0.55);
    expect(share(name, 'cache'), name).toBeLessThan(0.75);
  }
  expect(share('list', 'cache')).toBeLessThan(0.45);
  expect(share('help', 'source')).toBeLessThan(0.1);
  expect(share('help', 'cache')).toBeLessThan(0.2);
});

it.each([
  'produce orders --value x',
  'consume orders',
  'consume orders -J',
  'consume orders -f %v',
  'tail orders',
  'get orders:0@0',
  'topic list',
  'topic ls -r o.*',
  'topic create payments -q',
  'topic describe orders',
  '--help',
  '--version',
])('has all that it needs in a bundle of its own: %s', async (line) => {
  const cwd = temporaryDirectory();
  await klog(['topic', 'create', 'orders'], { cwd });
  await klog(['produce', 'orders', '--value', 'x'], { cwd });
  expect(filesRead(line.split(' '), cwd).filter((path) => path.endsWith('klog.cjs'))).toEqual([]);
});

it('takes from the whole what the bundle of a start does not have', async () => {
  const cwd = temporaryDirectory();
  const line = ['produce', 'orders', '-f', 'csv'];
  const { code } = await klog(line, { cwd, input: 'key,value\nk,x\n' });
  const { out } = await klog(['consume', 'orders', '-f', '%k=%v'], { cwd });
  expect({ code, out }).toEqual({ code: 0, out: 'k=x' });
  expect(filesRead(line, cwd).filter((path) => basename(path) === 'klog.cjs')).toHaveLength(1);
});

it.skipIf(process.platform !== 'linux')(
  'starts no thread to read a short input and write one durable record',
  async () => {
    const cwd = temporaryDirectory();
    await klog(['topic', 'create', 'orders'], { cwd });
    const empty = threadsAtEnd(`"$0" --require "$1" -e 0`, cwd);
    for (const line of ['"$0" --require "$@" --value x', 'printf a | "$0" --require "$@"']) {
      expect(threadsAtEnd(line, cwd, [KLOG, 'produce', 'orders'])).toBe(empty);
    }
  },
);

/** How many a line of shell has when it ends: `$0` is node, `$1` what counts them. */
function threadsAtEnd(line: string, cwd: string, words: readonly string[] = []): number {
  const recorder = join(cwd, 'count-threads.cjs');
  const file = join(cwd, 'threads');
  writeFileSync(
    recorder,
    `const { readdirSync, writeFileSync } = require('node:fs');
    process.on('exit', () => writeFileSync(${JSON.stringify(file)}, String(readdirSync('/proc/self/task').length)));`,
  );
  const env = plainEnvironment({ HOME: cwd });
  const { status } = spawnSync('sh', ['-c', line, process.execPath, recorder, ...words], { cwd, env, stdio: 'ignore' });
  expect(status, line).toBe(0);
  return Number(readFileSync(file, 'utf8'));
}

/** What a run has read with `readFileSync`, as bundles are. */
function filesRead(args: readonly string[], cwd: string): string[] {
  const recorder = join(cwd, 'record-files.cjs');
  const file = join(cwd, 'files.json');
  writeFileSync(
    recorder,
    `const fs = require('node:fs');
    const { readFileSync } = fs;
    const paths = [];
    fs.readFileSync = (path, ...others) => {
      paths.push(String(path));
      return readFileSync(path, ...others);
    };
    process.on('exit', () => fs.writeFileSync(${JSON.stringify(file)}, JSON.stringify(paths)));`,
  );
  const env = plainEnvironment({ HOME: cwd });
  const { status } = spawnSync(process.execPath, ['--require', recorder, KLOG, ...args], { cwd, env });
  expect(status, args.join(' ')).toBe(0);
  const paths = JSON.parse(readFileSync(file, 'utf8')) as string[];
  expect(paths.some((path) => path.includes(join('dist', 'start')))).toBe(true);
  return paths;
}

it('names the sources in a stack', async () => {
  const { err } = await klog(['consume', 'nothing'], { cwd: temporaryDirectory(), env: { KLOG_DEBUG: '1' } });
  expect(err).toMatch(/\(src\/cli\/open-client\.ts:\d+:\d+\)/);
});

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
