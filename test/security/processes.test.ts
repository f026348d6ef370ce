/** Processes that stop, die, are told to end, or have few descriptors. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openClient } from '../../src/index.js';
import { ActorProcess } from '../history/actor-process.js';
import { finished, klog, shell, startKlog } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

describe('a process stopped while it holds a lock', () => {
  it('is named by whoever waits too long, and holds nothing once it is killed', async () => {
    await inTemporaryDirectory(async (work) => {
      const directory = join(work, '.klog');
      await using client = await openClient({ directory, create: true, lockWaitMs: 300 });
      await client.admin().createTopic({ topic: 't' });
      const holder = new ActorProcess();
      holder.tell({
        name: 'w',
        role: 'write',
        mode: 'one',
        acks: 'all',
        seed: 1,
        durationMs: 60_000,
        paddingBytes: 1,
        pauseMs: 0,
        topic: 't',
        partitions: 1,
        directory,
        library: join(import.meta.dirname, '..', '..', 'dist'),
        history: join(work, 'history'),
        faults: [{ call: 'write', file: '.log', nth: 3, when: 'after', action: 'stop' }],
      });
      const ended = holder.hear();
      try {
        expect(await holder.hear('ready', 'done')).toBe('ready');
        holder.tell('begin');
        expect(await holder.hear('event', 'done')).toBe('event');
        while (!/ T /.test(readFileSync(`/proc/${holder.pid}/stat`, 'latin1'))) await sleep(5);
        await using waiting = client.producer();
        await expect(waiting.sendAll([{ topic: 't', value: 'mine' }])).rejects.toMatchObject({
          code: 'KLOG_LOCKED',
          message: expect.stringContaining(`process ${holder.pid}`),
        });
      } finally {
        holder.kill('SIGKILL');
      }
      await ended;
      await using producer = client.producer();
      expect(await producer.sendAll([{ topic: 't', value: 'mine' }])).toHaveLength(1);
    });
  });
});

describe('what killed processes leave', () => {
  it('is swept by the next one that changes something', async () => {
    await inTemporaryDirectory(async (work) => {
      const options = { cwd: work, env: { HOME: work } };
      const abandoned = join(work, '.klog.tmp-0123456789abcdef');
      mkdirSync(join(abandoned, 'log'), { recursive: true });
      writeFileSync(join(abandoned, '.creating'), '');
      await klog(['topic', 'create', 'a'], options);
      expect(existsSync(abandoned)).toBe(false);
      const leftovers = ['log/a-0.0123456789abcdef0123456789abcdef-delete', 'topics/.topic.tmp', '.creating'];
      mkdirSync(join(work, '.klog', leftovers[0]!));
      writeFileSync(join(work, '.klog', leftovers[0]!, 'x.log'), 'x');
      for (const name of leftovers.slice(1)) writeFileSync(join(work, '.klog', name), 'half');
      const { code } = await klog(['topic', 'create', 'b'], options);
      expect(code).toBe(0);
      for (const name of leftovers) expect(existsSync(join(work, '.klog', name)), name).toBe(false);
    });
  });
});

describe('signals and readers that go away', () => {
  it('consume | head ends at once, with exit code 0 and without a word', async () => {
    await inTemporaryDirectory(async (work) => {
      const options = { cwd: work, env: { HOME: work } };
      await shell('seq 1 200000 | klog produce -q t', options);
      for (let i = 0; i < 5; i++) {
        const { out, err } = await shell('klog consume t | head -n 1; echo "$' + '{PIPESTATUS[0]}"', options);
        expect({ out, err }).toEqual({ out: '1\n0\n', err: '' });
      }
    });
  });

  it('SIGTERM in the middle of produce: what is stored is the beginning of the input, whole', async () => {
    await inTemporaryDirectory(async (work) => {
      const options = { cwd: work, env: { HOME: work } };
      await klog(['topic', 'create', 't'], options);
      for (const afterMs of [150, 250, 400]) {
        const child = startKlog(['produce', '-q', 't'], options);
        child.stdin!.on('error', () => {});
        const ending = finished(child);
        let sent = 0;
        const feed = setInterval(() => {
          for (let i = 0; i < 100; i++) child.stdin!.write(`${afterMs}:${sent++}\n`);
        }, 2);
        await sleep(afterMs);
        child.kill('SIGTERM');
        const { code } = await ending;
        clearInterval(feed);
        expect(code).toBe(143);
        const { out, code: read } = await klog(['consume', 't', '-G', `^${afterMs}:`], options);
        expect(read).toBe(0);
        const lines = out.split('\n').slice(0, -1);
        expect(lines).toEqual(lines.map((_, i) => `${afterMs}:${i}`));
      }
    });
  });

  it('a second SIGINT ends it at once, also while nobody takes its output', async () => {
    await inTemporaryDirectory(async (work) => {
      const options = { cwd: work, env: { HOME: work } };
      await shell('seq 1 300000 | klog produce -q t', options);
      // Nobody reads the pipe.
      const child = startKlog(['consume', 't'], options, { stdio: ['ignore', 'pipe', 'ignore'] });
      const end = once(child, 'exit');
      await sleep(600);
      // Signals that come before the first was taken are one.
      child.kill('SIGINT');
      const again = setInterval(() => child.kill('SIGINT'), 50);
      const [code, signal] = await end;
      clearInterval(again);
      expect(code ?? signal).toBeOneOf([130, 'SIGINT']);
    });
  });
});

describe('few descriptors', () => {
  it('ulimit -n 64 is enough for 200 partitions', async () => {
    await inTemporaryDirectory(async (work) => {
      const options = { cwd: work, env: { HOME: work } };
      const script = [
        'ulimit -n 64',
        'klog topic create -q t -p 200',
        'seq 1 1000 | klog produce -q t --partitioner round-robin',
        'klog consume t | sort -n | uniq | wc -l',
        'klog topic describe t --json | grep -c logStartOffset',
      ].join(' && ');
      const { code, out, err } = await shell(script, options);
      expect(err).toBe('');
      expect(code).toBe(0);
      expect(out.split('\n')[0]!.trim()).toBe('1000');
      expect(readdirSync(join(work, '.klog', 'log')).filter((name) => name.startsWith('t-')).length).toBe(200);
    });
  });
});
