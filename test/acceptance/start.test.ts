import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { BUNDLE, KLOG, klog, plainEnvironment } from '../support/klog-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Node's own modules that a run has loaded when it ends: counted, since times of a shared machine tell nothing. */
function modulesLoaded(args: readonly string[], cwd: string): string[] {
  const recorder = join(cwd, 'record-modules.cjs');
  const file = join(cwd, 'modules.json');
  writeFileSync(
    recorder,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.moduleLoadList)));`,
  );
  const env = plainEnvironment({ HOME: cwd });
  const { status } = spawnSync(process.execPath, ['--require', recorder, ...args], { cwd, env, encoding: 'utf8' });
  expect(status).toBe(0);
  return JSON.parse(readFileSync(file, 'utf8')) as string[];
}

it('loads few of the modules of Node beyond what an empty program does, and none that is slow to load', async () => {
  const cwd = temporaryDirectory();
  await klog(['topic', 'create', 'orders'], { cwd });
  const empty = new Set(modulesLoaded(['-e', '0'], cwd));
  const more = modulesLoaded([KLOG, 'topic', 'list'], cwd).filter((name) => !empty.has(name));
  expect(more.length).toBeLessThan(50);
  const slow =
    /NativeModule (crypto|http|https|zlib|tls|worker_threads|child_process|readline|inspector|internal\/crypto)/;
  expect(more.filter((name) => slow.test(name))).toEqual([]);
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
