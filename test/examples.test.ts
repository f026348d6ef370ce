import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { inTemporaryDirectory } from './support/temporary-directory.js';

const root = resolve(import.meta.dirname, '..');

/** What each example prints on an empty directory. */
const EXPECTED: Readonly<Record<string, string>> = {
  'produce-and-consume.ts': `stored at offsets 0, 1, 2
0@0 alice = {"item":"tea","count":2}
0@1 bob = {"item":"cups","count":4}
0@2 alice = null
`,
  'replay-from-a-time.ts': `2024-05-01T12:10:00.000Z partition 0: 22 °C
2024-05-01T12:15:00.000Z partition 1: 23 °C
2024-05-01T12:20:00.000Z partition 0: 24 °C
`,
  'follow-until-aborted.ts': `somebody looked at /
somebody looked at /about
somebody looked at /bye
stopped
`,
  'read-by-batches.ts': `100000 records, 900000 words, 4300000 bytes
`,
};

/** What the commands of each script print, and the exit codes that it tells. */
const PRINTED: Readonly<Record<string, string>> = {
  'three-workers.sh': `workers	Stable	3
a, b and c are all at work
60 jobs are done
at most one of them twice: the one that b had in its hands
workers	Stable	2
a: exit code 130
c: exit code 130
61
62
63
`,
  'reprocess.sh': `backend: down for a moment
tea
cups
spoons
exit code 1
backend: cannot book 'refund of cups'
backend: cannot book 'refund of cups'
refund of cups
sugar
milk
sugar
refund of cups
refund of cups
orders	0	7	4	3
refund of cups
sugar
refund of cups
`,
  'lag-alert.sh': `squares	numbers	0	2	5
exit code 0
klog: more than 2 remain: 3 records for group 'squares'
exit code 6
klog: waited 200 ms: group 'squares' is 3 records behind (numbers)
exit code 5
exit code 0
exit code 0
exit code 0
exit code 0
exit code 0
klog: line 2: expected '15', found '16' at results:0@1
exit code 6
`,
};

describe('scripts', () => {
  for (const [name, output] of Object.entries(PRINTED)) {
    it(`${name} tells its story, and leaves nothing behind`, { timeout: 60_000 }, () =>
      inTemporaryDirectory(async (directory) => {
        const env = { ...process.env, KLOG_DIR: '/nowhere', TMPDIR: directory, NO_COLOR: '1' };
        const script = join('examples', name);
        const { stdout, stderr } = await promisify(execFile)('bash', [script], { cwd: root, env });
        expect(stderr).toBe('');
        expect(stdout.replace(/^(\$.*|\d\. .*|Done\.|)\n/gm, '')).toBe(output);
        expect(await readdir(directory)).toEqual([]);
      }),
    );
  }
});

describe.concurrent('examples', () => {
  it('are all run', async () => {
    const files = (await readdir(join(root, 'examples'))).filter((name) => name !== 'demo.sh');
    expect(files.sort()).toEqual([...Object.keys(EXPECTED), ...Object.keys(PRINTED)].sort());
  });

  for (const [name, output] of Object.entries(EXPECTED)) {
    it(`${name} prints what it says, and ends`, () =>
      inTemporaryDirectory(async (directory) => {
        const args = ['--import', 'tsx', join('examples', name), join(directory, '.klog')];
        const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
        expect(stderr).toBe('');
        expect(stdout).toBe(output);
      }));
  }
});
