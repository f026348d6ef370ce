/** What somebody with access to the directory may plant there: links, pipes, directories. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openClient } from '../../src/index.js';
import { klog } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';
import { filesOf, treeOf } from './directory-tree.js';

const TOPIC = 'orders';

async function makeLog(directory: string): Promise<void> {
  await using client = await openClient({ directory, create: true });
  await client
    .admin()
    .createTopic({ topic: TOPIC, configs: { 'segment.bytes': '300', 'index.interval.bytes': '100' } });
  await using producer = client.producer();
  for (let i = 0; i < 8; i++) await producer.sendAll([{ topic: TOPIC, value: `value ${i} ${'.'.repeat(60)}` }]);
}

/** Everything a user does, one after the other; each may fail. */
async function doEverything(directory: string): Promise<string[]> {
  const failures: string[] = [];
  const tryTo = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failures.push(String((error as { code?: string }).code));
    }
  };
  await tryTo(async () => {
    await using client = await openClient({ directory, lockWaitMs: 200 });
    await tryTo(async () => {
      for await (const _ of client.consumer({ topics: [TOPIC] }));
    });
    await tryTo(async () => {
      await using producer = client.producer();
      for (let i = 0; i < 5; i++) await producer.sendAll([{ topic: TOPIC, value: `more ${i} ${'.'.repeat(60)}` }]);
    });
    await tryTo(() => client.admin().alterConfigs(TOPIC, { set: { 'retention.ms': '-1' } }));
    await tryTo(() => client.admin().createPartitions(TOPIC, 2));
    await tryTo(() => client.admin().createTopic({ topic: 'another' }));
    await tryTo(() => client.admin().deleteTopic(TOPIC));
  });
  return failures;
}

describe('links planted in the data directory', () => {
  it('at each file name klog makes: the file they lead to is neither changed, read as a log, nor removed', async () => {
    await inTemporaryDirectory(async (work) => {
      const model = join(work, 'model');
      await makeLog(model);
      const names = [
        ...filesOf(model),
        'klog.json.tmp',
        'topics/.topic.tmp',
        `topics/another.json`,
        `log/${TOPIC}-0/leader-epoch-checkpoint.tmp`,
      ];
      // The next segment, which does not exist yet.
      const next = String(100).padStart(20, '0');
      names.push(...['.log', '.index', '.timeindex'].map((suffix) => `log/${TOPIC}-0/${next}${suffix}`));
      for (const name of names) {
        const directory = join(work, 'log');
        cpSync(model, directory, { recursive: true });
        const victim = join(work, 'victim');
        const target = join(directory, name);
        // Where there was a file the victim looks like it: a reader that followed the link would be content.
        const content =
          names.includes(name) && lstatSync(target, { throwIfNoEntry: false })
            ? readFileSync(target)
            : Buffer.from('victim');
        writeFileSync(victim, content, { mode: 0o644 });
        const { ino, mode } = statSync(victim);
        rmSync(target, { force: true });
        symlinkSync(victim, target);
        await doEverything(directory);
        expect(readFileSync(victim).equals(content), name).toBe(true);
        expect(statSync(victim), name).toMatchObject({ ino, mode });
        rmSync(directory, { recursive: true });
      }
    });
  });

  it.each([`log/${TOPIC}-0`, 'log', 'topics'])(
    'instead of %s: refused, and nothing behind it changes',
    async (name) => {
      await inTemporaryDirectory(async (work) => {
        const directory = join(work, 'data');
        await makeLog(directory);
        const outside = join(work, 'outside');
        renameSync(join(directory, name), outside);
        symlinkSync(outside, join(directory, name));
        const before = treeOf(outside);
        const failures = await doEverything(directory);
        expect(failures).toContain('KLOG_BAD_DIRECTORY');
        expect(treeOf(outside)).toEqual(before);
      });
    },
  );

  it('under the name of a directory on its way out: the sweep takes the link, not what it leads to', async () => {
    await inTemporaryDirectory(async (work) => {
      const directory = join(work, 'data');
      await makeLog(directory);
      const outside = join(work, 'outside');
      mkdirSync(outside);
      writeFileSync(join(outside, 'victim'), 'kept');
      symlinkSync(outside, join(directory, 'log', `${TOPIC}-0.${'0'.repeat(32)}-delete`));
      await doEverything(directory);
      expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('kept');
    });
  });
});

describe('pipes planted in the data directory', () => {
  it.each([
    'klog.json',
    'log/.lock',
    'log/meta.properties',
    `topics/${TOPIC}.json`,
    'SEGMENT',
    'log/orders-0/klog.end',
  ])('%s: every command ends, and says what it found', async (which) => {
    await inTemporaryDirectory(async (work) => {
      const directory = join(work, '.klog');
      await makeLog(directory);
      const first = filesOf(directory).find((name) => name.endsWith('.log'))!;
      const name = which === 'SEGMENT' ? first : which;
      const path = join(directory, name);
      rmSync(path);
      expect(spawnSync('mkfifo', [path]).status).toBe(0);
      const result = await doEverything(directory);
      if (!name.endsWith('meta.properties')) expect(result.length).toBeGreaterThan(0);
    });
  });

  it('as a segment: consume and log dump end, and name it', async () => {
    await inTemporaryDirectory(async (work) => {
      const directory = join(work, '.klog');
      await makeLog(directory);
      const segment = filesOf(directory).find((name) => name.endsWith('.log'))!;
      rmSync(join(directory, segment));
      spawnSync('mkfifo', [join(directory, segment)]);
      for (const args of [
        ['consume', TOPIC],
        ['log', 'dump', TOPIC],
        ['log', 'dump', join(directory, segment)],
      ]) {
        const { code, err } = await klog(args, { cwd: work, env: { HOME: work } });
        expect(code, args.join(' ')).not.toBe(0);
        expect(err).toContain(basename(segment));
        expect(err).toContain('named pipe');
      }
    });
  });
});

describe('a directory in the place of a file', () => {
  it('is an error with a name, not a crash', async () => {
    await inTemporaryDirectory(async (work) => {
      const model = join(work, 'model');
      await makeLog(model);
      for (const name of filesOf(model)) {
        const directory = join(work, 'data');
        cpSync(model, directory, { recursive: true });
        rmSync(join(directory, name));
        mkdirSync(join(directory, name));
        writeFileSync(join(directory, name, 'inside'), 'kept');
        for (const code of await doEverything(directory)) expect(code, name).toMatch(/^[A-Z_]+$/);
        rmSync(directory, { recursive: true });
      }
      expect(dirname(work)).not.toBe(work);
    });
  });
});
