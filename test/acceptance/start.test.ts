import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
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
