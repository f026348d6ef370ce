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

describe.concurrent('examples', () => {
  it('are all run', async () => {
    const files = (await readdir(join(root, 'examples'))).filter((name) => name.endsWith('.ts'));
    expect(files.sort()).toEqual(Object.keys(EXPECTED).sort());
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
