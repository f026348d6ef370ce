import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { klog, shell } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';
import { treeOf } from './directory-tree.js';

describe('modes', () => {
  it.each(['000', '022', '077', '777'])('under umask %s directories are 0700 and files 0600', async (umask) => {
    await inTemporaryDirectory(async (work) => {
      const script = [
        `umask ${umask}`,
        'klog topic create a -p 2 -c segment.bytes=200',
        'seq 1 30 | klog produce a',
        'seq 31 60 | klog produce a',
        'klog topic alter a -c retention.ms=-1',
        'seq 1 3 | klog produce b -z gzip',
        'klog topic delete b --yes',
        'klog consume a | wc -l',
      ].join(' && ');
      const { code, out, err } = await shell(script, { cwd: work, env: { HOME: work } });
      expect(err).not.toContain('denied');
      expect([code, out.trim().split('\n').at(-1)]).toEqual([0, '60']);
      const tree = treeOf(work);
      expect(tree.size).toBeGreaterThan(10);
      for (const [path, what] of tree) {
        const mode = (lstatSync(join(work, path)).mode & 0o7777).toString(8);
        expect(`${path} ${mode}`).toBe(`${path} ${what === 'directory' ? '700' : '600'}`);
      }
    });
  });

  it('of a directory that everybody may write to are warned about', async () => {
    await inTemporaryDirectory(async (work) => {
      await klog(['topic', 'create', 'a'], { cwd: work, env: { HOME: work } });
      chmodSync(join(work, '.klog'), 0o777);
      const { code, err } = await klog(['topic', 'list'], { cwd: work, env: { HOME: work } });
      expect(code).toBe(0);
      expect(err).toContain('can be written to by everybody');
    });
  });

  const isRoot = process.getuid?.() === 0;
  it.skipIf(!isRoot || spawnSync('setpriv', ['--version']).status !== 0)(
    'keep another user out, with an error that says so (needs root, to be another user)',
    async () => {
      await inTemporaryDirectory(async (work) => {
        chmodSync(work, 0o755);
        await klog(['produce', 'a'], { cwd: work, env: { HOME: work }, input: 'secret\n' });
        const other = 'setpriv --reuid=65534 --regid=65534 --clear-groups';
        const node = `${other} ${JSON.stringify(process.execPath)}`;
        const line = `${node} "$(type klog | grep -o '"[^"]*klog.js"' | tr -d '"')" consume a`;
        const { code, out, err } = await shell(line, { cwd: work, env: { HOME: '/nonexistent' } });
        expect(out).toBe('');
        expect(err).toMatch(/denied|permission|belongs to another user/i);
        expect(code).not.toBe(0);
      });
    },
  );
});
