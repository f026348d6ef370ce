import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkTail } from '../../../src/cli/doctor/check-tail.js';
import { checkMachine, type Machine, thisMachine } from '../../../src/cli/doctor/machine-checks.js';
import { allPartitions } from '../../../src/cli/log/dump-targets.js';
import { nodeFileSystem } from '../../../src/storage/file-system-node.js';
import { run } from '../support/fake-context.js';
import { numbered, type RealLog, withLog } from '../support/real-log.js';

interface Check {
  readonly check: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly hint?: string;
}

const SEGMENT = '00000000000000000000.log';

async function examine(log: RealLog, ...args: string[]) {
  const now = Date.now();
  const { code, out, err } = await run(['doctor', '--json', ...args], { env: { KLOG_DIR: log.directory }, now });
  const document = JSON.parse(out) as { ok: boolean; checks: Check[] };
  return { code, err, ...document, odd: document.checks.filter(({ verdict }) => verdict !== 'ok') };
}

async function withOrders<T>(use: (log: RealLog, partition: string) => Promise<T>): Promise<T> {
  return withLog(async (log) => {
    await log.createTopic('orders', 2);
    await log.produce(numbered('orders', 20, 2));
    return use(log, join(log.directory, 'log', 'orders-0'));
  });
}

describe('the log', () => {
  it('that is as it should be: every line ok, exit 0, nothing changed', async () => {
    await withOrders(async (log, partition) => {
      const before = readFileSync(join(partition, 'klog.end'));
      const { code, ok, odd, checks } = await examine(log);
      expect(odd.filter(({ check }) => check !== 'open files')).toEqual([]);
      expect({ code, ok }).toEqual({ code: 0, ok: true });
      expect(checks.at(-1)?.message).toMatch(/^all \d.* of records are good$/);
      expect(readFileSync(join(partition, 'klog.end'))).toEqual(before);
      const text = await run('doctor', { env: { KLOG_DIR: log.directory } });
      expect(text.out.split('\n')[0]).toBe(`ok\tnode\tNode ${process.versions.node}`);
    });
  });

  it('that is damaged: the first bad byte is named, exit 7', async () => {
    await withOrders(async (log, partition) => {
      const file = join(partition, SEGMENT);
      const bytes = readFileSync(file);
      bytes.writeUInt8(bytes[200]! ^ 4, 200);
      writeFileSync(file, bytes);
      const { code, ok, odd, err } = await examine(log);
      expect({ code, ok }).toEqual({ code: 7, ok: false });
      expect(odd).toMatchObject([{ check: 'log', verdict: 'fail', topic: 'orders', partition: 0, file, offset: 2 }]);
      expect(JSON.parse(err)).toMatchObject({ code: 'CORRUPT_MESSAGE', exit: 7, file, offset: 2 });
      const found = [];
      for await (const one of allPartitions(nodeFileSystem, log.directory))
        found.push(await checkTail(one, nodeFileSystem));
      expect(found).toMatchObject([{ verdict: 'fail', place: { file, offset: 2 } }, undefined]);
    });
  });

  it('that is not there yet is none to worry about', async () => {
    await withLog(async (log) => {
      expect((await examine(log)).checks.at(-1)?.message).toMatch(/there is no log at .* yet/);
    });
  });

  it('of another version, or no klog directory: 1', async () => {
    await withOrders(async (log) => {
      const file = join(log.directory, 'klog.json');
      const json = JSON.parse(readFileSync(file, 'utf8'));
      writeFileSync(file, JSON.stringify({ ...json, minReaderVersion: 99 }));
      const { code, odd } = await examine(log);
      expect(code).toBe(1);
      expect(odd).toMatchObject([{ check: 'version', verdict: 'fail', hint: 'Use a newer klog' }]);
    });
  });

  it('with a tail that a crash left: a warning, and nothing to do', async () => {
    await withOrders(async (log, partition) => {
      writeFileSync(
        join(partition, SEGMENT),
        Buffer.concat([readFileSync(join(partition, SEGMENT)), Buffer.alloc(9, 1)]),
      );
      const { code, odd } = await examine(log);
      expect(code).toBe(0);
      expect(odd).toMatchObject([{ check: 'settled', verdict: 'warn' }]);
    });
  });
});

describe('topics', () => {
  it('interrupted changes, lost directories, directories of nobody', async () => {
    await withOrders(async (log, partition) => {
      await log.createTopic('more');
      const file = join(log.directory, 'topics', 'more.json');
      await log.createTopic('brought');
      const brought = join(log.directory, 'topics', 'brought.json');
      const importing = `"importing", "importId": "${'0'.repeat(32)}"`;
      writeFileSync(brought, readFileSync(brought, 'utf8').replace('"active"', importing));
      // Changes of topics would complete both.
      writeFileSync(file, readFileSync(file, 'utf8').replace('"active"', '"deleting"'));
      renameSync(partition, join(log.directory, 'log', 'stranger-7'));
      mkdirSync(join(log.directory, 'log', `x-0.${'a'.repeat(32)}-delete`));
      mkdirSync(`${log.directory}.tmp-12`);
      const { code, odd } = await examine(log);
      expect(code).toBe(7);
      expect(odd.map(({ check, verdict, message }) => [check, verdict, message.replace(log.directory, 'D')])).toEqual([
        ['topics', 'warn', 'topic brought is being imported, or that was interrupted'],
        ['topics', 'warn', 'topic more is being deleted, or that was interrupted'],
        ['topics', 'fail', 'the directory of orders:0 is missing'],
        ['topics', 'warn', 'D/log/stranger-7 belongs to no topic'],
        ['leftovers', 'warn', `x-0.${'a'.repeat(32)}-delete was left by an interrupted create or delete`],
        ['leftovers', 'warn', 'D.tmp-12 is a klog directory that was not finished'],
      ]);
      rmSync(`${log.directory}.tmp-12`, { recursive: true });
    });
  });
});

describe('permissions', () => {
  it('what others can write to, and what comes from the future', async () => {
    await withOrders(async (log, partition) => {
      chmodSync(join(partition, SEGMENT), 0o666);
      utimesSync(join(log.directory, 'klog.json'), new Date(), new Date(Date.now() + 10 * 86_400_000));
      const { code, odd } = await examine(log);
      expect(code).toBe(0);
      expect(odd.map(({ check }) => check)).toEqual(['permissions', 'clock']);
      expect(odd[0]?.message).toBe(`others can write to ${join(partition, SEGMENT)}`);
    });
  });
});

describe.runIf(process.platform === 'linux')('who holds locks', () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  it('is named with its command; who is stopped and holds one is a warning', async () => {
    await withOrders(async (log, partition) => {
      const code = [
        `import { nodeFileSystem } from '${join(import.meta.dirname, '../../../src/storage/file-system-node.ts')}';`,
        `const file = nodeFileSystem.open(${JSON.stringify(join(partition, 'klog.end'))}, 'write');`,
        'file.tryLock({ start: 4097, length: 1 });',
        "console.log('held');",
        'setInterval(() => {}, 1000);',
      ].join('\n');
      const script = join(log.directory, '..', 'holder.mts');
      writeFileSync(script, code);
      const root = join(import.meta.dirname, '../../..');
      child = spawn(process.execPath, ['--import', 'tsx', script], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
      await new Promise((resolve) => child?.stdout?.once('data', resolve));
      const { pid } = child;
      const held = (await examine(log)).checks.filter(({ check }) => check === 'holders');
      expect(held).toMatchObject([{ verdict: 'ok' }]);
      expect(held[0]?.message).toMatch(new RegExp(`^process ${pid} \\(.*holder.mts\\) holds append of orders:0$`));
      child.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { code: exit, odd } = await examine(log);
      expect(exit).toBe(0);
      expect(odd).toMatchObject([
        { check: 'holders', verdict: 'warn', hint: expect.stringContaining(`kill -CONT ${pid}`) },
      ]);
    });
  });
});

describe('the machine', () => {
  const on = (changes: Partial<Machine>) =>
    checkMachine({ ...thisMachine, ...changes }).filter(({ verdict }) => verdict !== 'ok');

  it.each<[string, Partial<Machine>, string, string]>([
    ['an old Node', { nodeVersion: '20.9.0' }, 'node', 'fail'],
    [
      'no locks',
      {
        loadLocks: () => {
          throw new Error('no addon');
        },
      },
      'locks',
      'fail',
    ],
    ['no addon for checksums', { hasNativeCrc32c: () => false }, 'crc', 'warn'],
    [
      'few open files',
      { read: (path) => (path.endsWith('limits') ? 'Max open files            64    64    files' : undefined) },
      'open files',
      'warn',
    ],
    ['few inotify instances', { read: (path) => (path.includes('inotify') ? '16\n' : undefined) }, 'inotify', 'warn'],
    ['a clock that was never set', { now: () => 1000 }, 'clock', 'warn'],
    [
      'a clock that jumped',
      {
        read: (path) => ({ '/proc/uptime': '100.0 5', '/proc/stat': 'btime 1700000000\n' })[path],
        now: () => 1_800_000_000_000,
      },
      'clock',
      'warn',
    ],
  ])('%s', (_name, changes, check, verdict) => {
    expect(on({ read: () => undefined, ...changes })).toMatchObject([{ check, verdict }]);
  });

  it('nothing to say where the system tells nothing', () => {
    expect(on({ read: () => undefined })).toEqual([]);
  });
});
