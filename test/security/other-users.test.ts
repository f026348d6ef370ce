/**
 * Locks in the hands of another user: refused or waited for within bounds, never stolen, never a hang. Needs root, to
 * be two users.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openClient } from '../../src/index.js';
import { KLOG, klog, plainEnvironment } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';
import { treeOf } from './directory-tree.js';

const OTHER = 65534;
const AS_OTHER = [`--reuid=${OTHER}`, `--regid=${OTHER}`, '--clear-groups'];
/** One that other users can run, too. */
const PYTHON = '/usr/bin/python3';
const isPossible = process.getuid?.() === 0 && spawnSync('setpriv', [...AS_OTHER, PYTHON, '--version']).status === 0;

/** Takes an open-file-description lock on a whole file, says so, and keeps it until its input ends. */
const HOLD = `
import fcntl, struct, sys
file = open(sys.argv[1], 'r+b')
fcntl.fcntl(file, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
print('held', flush=True)
sys.stdin.read()
`;

describe.skipIf(!isPossible)('locks of another user', { timeout: 60_000 }, () => {
  it('cannot be taken by who may not write to the file', async () => {
    await inTemporaryDirectory(async (work) => {
      await klog(['produce', '-q', 't', '--value', 'x'], { cwd: work, env: { HOME: work } });
      // As far open as somebody could make the directories: the files stay closed.
      for (const path of ['', '.klog', '.klog/log', '.klog/log/t-0']) chmodSync(join(work, path), 0o777);
      for (const lock of ['.klog/log/.lock', '.klog/log/t-0/klog.end', '.klog/topics/.lock']) {
        const { status, stdout } = spawnSync('setpriv', [...AS_OTHER, PYTHON, '-c', HOLD, join(work, lock)], {
          input: '',
          encoding: 'utf8',
        });
        expect([lock, status, stdout]).toEqual([lock, 1, '']);
      }
    });
  });

  it('held on a file that was opened up to them: the wait ends, and the message names the process', async () => {
    await inTemporaryDirectory(async (work) => {
      const directory = join(work, '.klog');
      await klog(['produce', '-q', 't', '--value', 'x'], { cwd: work, env: { HOME: work } });
      for (const path of ['', '.klog', '.klog/log']) chmodSync(join(work, path), 0o777);
      const lock = join(directory, 'log', '.lock');
      chmodSync(lock, 0o666);
      const holder = spawn('setpriv', [...AS_OTHER, PYTHON, '-c', HOLD, lock], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const exit = once(holder, 'exit');
      try {
        await Promise.race([once(holder.stdout, 'data'), exit]);
        const opening = openClient({ directory, lockWaitMs: 200 }).then((client) => client.admin().listTopics());
        await expect(opening).rejects.toMatchObject({
          code: 'KLOG_LOCKED',
          message: expect.stringContaining(`process ${holder.pid}`),
        });
      } finally {
        holder.stdin.end();
        await exit;
      }
      await using client = await openClient({ directory, lockWaitMs: 200 });
      expect(await client.admin().listTopics()).toHaveLength(1);
    });
  });

  it.each(['log/.lock', 'log/t-0/klog.end', 'topics/.lock'])(
    'on a file that belongs to them, %s: refused by name, and nothing is changed',
    async (file) => {
      await inTemporaryDirectory(async (work) => {
        await klog(['produce', '-q', 't', '--value', 'x'], { cwd: work, env: { HOME: work } });
        chmodSync(work, 0o755);
        const data = join(work, '.klog');
        for (const path of ['', ...(readdirSync(data, { recursive: true }) as string[])])
          chownSync(join(data, path), OTHER, OTHER);
        chownSync(join(data, file), 0, 0);
        const before = treeOf(data);
        const program = programFor(work);
        const change = file.startsWith('topics') ? ['topic', 'create', 'other'] : ['produce', 't', '--value', 'y'];
        const { status, stderr } = spawnSync(
          'setpriv',
          [...AS_OTHER, process.execPath, program, '-d', data, ...change],
          {
            cwd: work,
            env: plainEnvironment({ HOME: '/nonexistent' }),
            encoding: 'utf8',
          },
        );
        expect(status).not.toBe(0);
        expect(stderr).toMatch(/denied/);
        expect(stderr).toContain(join(data, file));
        expect(treeOf(data)).toEqual(before);
      });
    },
  );
});

/** The other user may not be able to read where this project lies. */
function programFor(work: string): string {
  const root = dirname(dirname(KLOG));
  const copy = join(work, 'program');
  for (const part of ['bin', 'dist', 'package.json']) cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return join(copy, 'bin', 'klog.js');
}
