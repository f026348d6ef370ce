/** What must not be told: passwords and records in error messages, stacks and reports; files for others to read. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { klog } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const CANARY = 'hunter2-canary';

/** Files in the working directory, the command, and its input: each must fail. */
const FAILURES: readonly {
  readonly about: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Record<string, string>;
  readonly args: readonly string[];
  readonly input?: string;
}[] = [
  {
    about: 'a config file that is no YAML',
    files: { 'klog.config.yaml': `dir: x\npassword: ${CANARY}\n  bad: [\n` },
    args: ['topic', 'list'],
  },
  {
    about: 'a config file with an alias of YAML',
    files: { 'klog.config.yaml': `password: *${CANARY}\n` },
    args: ['topic', 'list'],
  },
  {
    about: 'a config file that is no JSON',
    files: { 'klog.config.json': `{"password": ${CANARY}}` },
    args: ['topic', 'list'],
  },
  {
    about: 'a config file of several lines that is no JSON',
    files: { 'klog.config.json': `{\n"password":\n"${CANARY}"\n"x"}` },
    args: ['topic', 'list'],
  },
  {
    about: 'a setting that is unknown',
    files: { 'klog.config.yaml': `sasl.password: ${CANARY}\n` },
    args: ['topic', 'list'],
  },
  { about: 'brokers, as an option', args: ['-b', `me:${CANARY}@host:1,you:${CANARY}@other:1`, 'topic', 'list'] },
  { about: 'brokers, in the environment', env: { KLOG_BROKERS: `me:${CANARY}@host:1` }, args: ['topic', 'list'] },
  {
    about: 'brokers, in a config file',
    files: { 'klog.config.yaml': `brokers: me:${CANARY}@host:1\n` },
    args: ['topic', 'list'],
  },
  { about: 'a record that is no JSON', args: ['produce', 't', '-J'], input: `{"value":"${CANARY}" oops}\n` },
  { about: 'a value that is no JSON', args: ['produce', 't', '--value-format', 'json'], input: `${CANARY}\n` },
  { about: 'a line without a key', args: ['produce', 't', '-K', ':'], input: `${CANARY}\n` },
  {
    about: 'a header of a record that is refused',
    args: ['produce', 't', '-p', '9', '-H', `auth=${CANARY}`, '--value', 'x'],
  },
];

describe('a secret', () => {
  it.each(FAILURES)(
    'in $about is in no message and in no stack',
    async ({ files = {}, env = {}, args, input = '' }) => {
      await inTemporaryDirectory(async (work) => {
        for (const [name, content] of Object.entries(files)) writeFileSync(join(work, name), content);
        // The message, and the stack behind it.
        const { code, out, err } = await klog(args, { cwd: work, env: { HOME: work, KLOG_DEBUG: '1', ...env }, input });
        expect(code).not.toBe(0);
        expect(err).toMatch(/^ +at /m);
        expect(out + err).not.toContain(CANARY);
      });
    },
  );
});

describe('records outside the log', () => {
  it('are for their owner only, whatever the umask: archive, dead letters, dump', async () => {
    await inTemporaryDirectory(async (work) => {
      const options = { cwd: work, env: { HOME: work } };
      const before = process.umask(0);
      try {
        await klog(['produce', 't', '-J', '--skip-bad', '--dead-letter', 'dead'], {
          ...options,
          input: '{"value":"a"}\nbad\n',
        });
        await klog(['export', '-o', 'archive'], options);
        await klog(['consume', 't', '--dump', 'dumped'], options);
      } finally {
        process.umask(before);
      }
      const modes = ['dead', 'archive', 'dumped', 'dumped/t-0-0'].map((name) => [name, modeOf(join(work, name))]);
      expect(modes).toEqual([
        ['dead', '600'],
        ['archive', '600'],
        ['dumped', '700'],
        ['dumped/t-0-0', '600'],
      ]);
    });
  });
});

describe('the bits for another user or group', () => {
  it('are on no file, also below a directory that gives its group and that bit to what is made in it', async () => {
    await inTemporaryDirectory(async (work) => {
      const shared = join(work, 'shared');
      mkdirSync(shared);
      chmodSync(shared, 0o2777);
      const { code } = await klog(['produce', '-q', 't', '-d', '.klog', '--value', 'x'], {
        cwd: shared,
        env: { HOME: work },
      });
      expect(code).toBe(0);
      const paths = readdirSync(join(shared, '.klog'), { recursive: true }) as string[];
      expect(paths.length).toBeGreaterThan(8);
      for (const path of paths) {
        const full = join(shared, '.klog', path);
        // A directory inherits the bit from the kernel; without rights for the group it gives nothing.
        const wanted = lstatSync(full).isDirectory() ? /^2?700$/ : /^600$/;
        expect(modeOf(full), path).toMatch(wanted);
      }
      expect(existsSync(join(shared, '.klog', 'log', 't-0'))).toBe(true);
    });
  });
});

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}
