import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { BUNDLE, KLOG, klog, plainEnvironment } from './support/klog-process.js';

/** User and system time of a run. Unlike the time on the clock it hardly tells what else the machine is doing. */
function cpuMs(args: readonly string[], cwd: string): number {
  const script = 'TIMEFORMAT="%3U %3S"; time "$0" "$@" >/dev/null 2>&1';
  const env = plainEnvironment({ HOME: cwd, LC_ALL: 'C' });
  const { stderr } = spawnSync('bash', ['-c', script, process.execPath, ...args], { cwd, env, encoding: 'utf8' });
  const [user, system] = stderr.trim().split(' ').map(Number);
  return (user! + system!) * 1000;
}

it('starts for less than twice what node itself costs', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'klog-start-'));
  try {
    await klog(['topic', 'create', 'orders'], { cwd });
    let node = 0;
    let list = 0;
    for (let run = 0; run < 15; run++) {
      node += cpuMs(['-e', '0'], cwd);
      list += cpuMs([KLOG, 'topic', 'list'], cwd);
    }
    expect(list / node).toBeLessThan(2);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
});

it('runs as the bundle alone, without the code cache', () => {
  const { status, stdout } = spawnSync(process.execPath, [BUNDLE, '--version'], {
    env: plainEnvironment(),
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${manifest.version}\n` });
});
