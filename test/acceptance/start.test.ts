import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { BUNDLE, KLOG, klog, plainEnvironment } from './support/klog-process.js';

/** The least of several runs: what the machine does besides makes runs longer, never shorter. */
function leastMs(args: readonly string[], cwd: string, times: number[]): void {
  const start = performance.now();
  spawnSync(process.execPath, args, { cwd, env: plainEnvironment({ HOME: cwd }), stdio: 'ignore' });
  times.push(performance.now() - start);
}

it('starts in less than twice the time of node itself', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'klog-start-'));
  try {
    await klog(['topic', 'create', 'orders'], { cwd });
    const node: number[] = [];
    const list: number[] = [];
    for (let run = 0; run < 15; run++) {
      leastMs(['-e', '0'], cwd, node);
      leastMs([KLOG, 'topic', 'list'], cwd, list);
    }
    expect(Math.min(...list) / Math.min(...node)).toBeLessThan(2);
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
