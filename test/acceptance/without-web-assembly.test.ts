import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { KLOG, plainEnvironment } from '../support/klog-process.js';
import { sharedDirectory } from '../support/temporary-directory.js';

const cwd = sharedDirectory();
const COUNT = 3000;

/** Klog in a Node with these flags; `--jitless` has no WebAssembly. */
function klog(flags: readonly string[], line: string): string {
  const env = plainEnvironment({ HOME: cwd });
  const script = `"$0" "$@" ${line}`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, ...flags, KLOG], { cwd, env });
  expect(status, `${line}\n${stderr.toString()}`).toBe(0);
  return stdout.toString();
}

beforeAll(() => {
  const lines = Array.from({ length: COUNT }, (_, i) => `key ${i % 7}:value ${i}\n`);
  writeFileSync(join(cwd, 'lines.txt'), lines.join(''));
  klog([], 'topic create -q with without -p 3');
  klog([], 'produce -q with -K : -p 0 --timestamp 1700000000000 < lines.txt');
});

it('takes in lines as ever', () => {
  klog(['--jitless'], 'produce -q without -K : --timestamp 1700000000000 < lines.txt');
  klog([], 'produce -q again -K : --timestamp 1700000000000 < lines.txt');
  const stored = (topic: string) => klog([], `consume ${topic} -f '%k %v\\n'`).split('\n').sort();
  expect(stored('without')).toHaveLength(COUNT + 1);
  expect(stored('without')).toEqual(stored('again'));
});

it.each(['', "-f '%k %v\\n'", '-J', '-o 2500', '-o @1700000000000', '--order time'])(
  'prints as ever: consume %s',
  (how) => {
    const line = `consume with ${how}`;
    const expected = klog([], line);
    expect(expected.split('\n').length).toBeGreaterThan(500);
    expect(klog(['--jitless'], line)).toBe(expected);
  },
);
