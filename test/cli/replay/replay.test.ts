import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../src/cli/main.js';
import { openClient } from '../../../src/clients/local/open-client.js';
import { FakeContext } from '../support/fake-context.js';
import { numbered, withLog } from '../support/real-log.js';

describe('klog replay', () => {
  it('prints a bounded range by offset and by time', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 10));
      expect((await log.run('replay t --from 3 --to 5')).out).toBe('v3\nv4\n');
      expect((await log.run('replay t --from @1700000008')).out).toBe('v8\nv9\n');
      expect((await log.run('replay t -n 2')).out).toBe('v0\nv1\n');
    }));

  it('keeps the recorded distances in time, divided by the speed', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 4, 2));
      const start = performance.now();
      expect((await log.run('replay t --speed 100x')).out).toBe('v0\nv1\nv2\nv3\n');
      // Three seconds were recorded: no earlier than three hundredths of one, whatever the machine does.
      expect(performance.now() - start).toBeGreaterThanOrEqual(29);
      expect((await log.run('replay t --speed fast')).code).toBe(2);
    }));

  it('keeps a distance that no timer can be set to, and prints nothing before its time when it is stopped', () =>
    withLog(async (log) => {
      const times = [0, 30, 30, 60].map((days) => days * 86_400_000);
      await log.produce(times.map((timestamp, i) => ({ topic: 't', value: `v${i}`, timestamp })));
      const client = await openClient({ directory: log.directory });
      const context = new FakeContext({ client, env: { KLOG_DIR: log.directory } });
      const running = runCommandLine(['replay', 't', '--speed', '1x'], context);
      while (context.out === '') await sleep(5);
      await sleep(40);
      expect(context.out).toBe('v0\n');
      context.interrupt('SIGINT');
      expect(await running).toBe(130);
      expect(context.out).toBe('v0\n');
      await client.close();
    }));

  it('does not wait for the next record when one has failed for good', () =>
    withLog(async (log) => {
      const times = [0, 86_400_000];
      await log.produce(times.map((timestamp, i) => ({ topic: 't', value: `v${i}`, timestamp })));
      const line = [
        'replay',
        't',
        '--speed',
        '1x',
        '--max-in-flight',
        '2',
        '--retries',
        '0',
        '--exec',
        'sleep 0.05; exit 1',
      ];
      const result = await log.run(line, { env: { PATH: process.env.PATH ?? '' } });
      expect(result).toMatchObject({ code: 1, err: expect.stringContaining('failed on t:0@0: exit code 1\n') });
    }));

  it('writes into another topic, and says in headers where each record came from', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 4, 2));
      const { code, err } = await log.run('replay t --into again');
      expect(code).toBe(0);
      expect(err).toContain("replayed 4 records from 't' into 'again'");
      const records = (await log.run('consume again -J')).out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(records.map((r) => [r.partition, r.key, r.value, r.timestamp])).toEqual([
        [0, 'k0', 'v0', 1_700_000_000_000],
        [0, 'k2', 'v2', 1_700_000_002_000],
        [1, 'k1', 'v1', 1_700_000_001_000],
        [1, 'k3', 'v3', 1_700_000_003_000],
      ]);
      expect(records[3].headers).toEqual([
        { key: 'klog.origin.topic', value: 't' },
        { key: 'klog.origin.topic.id', value: expect.stringMatching(/^[\w-]{22}$/) },
        { key: 'klog.origin.partition', value: '1' },
        { key: 'klog.origin.offset', value: '1' },
      ]);
    }));

  it('goes on with --resume behind what an interrupted replay has written', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 6, 2));
      await log.run('replay t --into again -n 4');
      expect((await log.run('replay t --into again --resume')).err).toContain('replayed 2 records');
      expect((await log.run('replay t --into again --resume')).err).toContain('replayed 0 records');
      expect((await log.run('consume again')).out).toBe('v0\nv2\nv4\nv1\nv3\nv5\n');
    }));

  it('resumes what has gaps, where the target has other partitions and one was ahead of the others', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.createTopic('again', 3);
      await log.produce(numbered('t', 20, 2));
      const values = async () => (await log.run('consume again')).out.trim().split('\n').sort();
      const all = Array.from({ length: 20 }, (_, i) => `v${i}`).sort();
      // As after a power loss: what stood in other partitions is gone.
      await log.run(['replay', 't', '--into', 'again', '--filter', 'm.offset === 5']);
      expect(await values()).toEqual(['v10', 'v11']);
      expect((await log.run('replay t --into again --resume')).err).toContain('replayed 18 records');
      expect(await values()).toEqual(all);
      expect((await log.run('replay t --into again --resume --json')).out).toContain('"records":0');
    }));

  it('resumes within the range that is asked for, whatever was replayed before', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 9));
      await log.run('replay t --into again --from 0 --to 2');
      const resume = async (range: string) => {
        const { code, err } = await log.run(`replay t --into again --resume ${range}`);
        expect(code).toBe(0);
        return err.match(/replayed (\d) records?/)?.[1];
      };
      expect(await resume('--from 7')).toBe('2');
      expect((await log.run('consume again')).out).toBe('v0\nv1\nv7\nv8\n');
      expect(await resume('--to 4')).toBe('2');
      expect((await log.run('topic trim t -o 5 -y')).code).toBe(0);
      expect(await resume('')).toBe('2');
      expect((await log.run('consume again')).out).toBe('v0\nv1\nv7\nv8\nv2\nv3\nv5\nv6\n');
    }));

  it('takes nothing for replayed that was of a topic which had the name before', () =>
    withLog(async (log) => {
      await log.produce([{ topic: 't', value: 'a' }]);
      await log.run('replay t --into u');
      await log.run('topic delete t -y');
      await log.produce([{ topic: 't', value: 'b' }]);
      expect((await log.run('replay t --into u --resume')).err).toContain('replayed 1 record');
      expect((await log.run('replay t --into u --resume')).err).toContain('replayed 0 records');
      expect((await log.run('consume u')).out).toBe('a\nb\n');
    }));

  it('refuses to go round in a circle', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 1));
      expect((await log.run('replay t --into t')).code).toBe(2);
      await log.run('replay t --into u');
      const back = await log.run('replay u --into t');
      expect(back.code).toBe(2);
      expect(back.err).toContain('circle');
      expect((await log.run('replay u --into t --dry-run')).code).toBe(2);
      // A longer way round is one, too.
      await log.run('replay u --into w');
      expect((await log.run('replay w --into t')).code).toBe(2);
      expect((await log.run('consume t')).out).toBe('v0\n');
      expect((await log.run('replay u --into t --force')).code).toBe(0);
    }));

  it('runs a command for each record, tries again, and stops at one that keeps failing', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 3));
      const file = `${log.directory}/../seen`;
      const env = { PATH: process.env.PATH ?? '' };
      const command = `printf '%s %s %s=' "$KLOG_RECORD_TOPIC" "$KLOG_RECORD_OFFSET" "$KLOG_RECORD_KEY" >> ${file}; cat >> ${file}; echo >> ${file}`;
      expect(await log.run(['replay', 't', '--exec', command], { env })).toMatchObject({ code: 0, out: '' });
      const { readFileSync } = await import('node:fs');
      expect(readFileSync(file, 'utf8')).toBe('t 0 k0=v0\nt 1 k1=v1\nt 2 k2=v2\n');

      const once = `test -e ${file}.once || { touch ${file}.once; exit 1; }`;
      expect((await log.run(['replay', 't', '-n', '1', '--exec', once], { env })).code).toBe(0);
      const failing = await log.run(['replay', 't', '--retries', '0', '--exec', 'exit 3'], { env });
      expect(failing.code).toBe(1);
      expect(failing.err).toContain('t:0@0');
      expect(failing.err).toContain('exit code 3');
      const late = await log.run(
        ['replay', 't', '--retries', '0', '--exec-timeout', '20ms', '--exec', 'exec sleep 5'],
        { env },
      );
      expect(late.code).toBe(1);
    }));

  it('shows with --dry-run what -n, --resume and the target leave of it, as it is done without', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 6, 2));
      expect((await log.run('replay t -n 1 --dry-run')).out).toContain('would replay 1 record of');
      expect((await log.run('replay t -n 4 --dry-run')).out).toMatch(
        /4 records of(.|\n)*t:0\t3 records(.|\n)*t:1\t1 record\t/,
      );
      expect((await log.run('replay t -n 0 --dry-run')).out).toContain('would replay 0 records of');
      expect((await log.run('replay t --into t --dry-run')).code).toBe(2);
      await log.run('replay t --into u -n 4');
      expect((await log.run('replay t --into u --resume --dry-run')).out).toContain('would replay 2 records of');
      expect((await log.run('replay t --into u --resume')).err).toContain('replayed 2 records');
    }));

  it('shows with --dry-run what it would go through', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 3));
      const { out } = await log.run('replay t --from 1 --into u --dry-run');
      expect(out).toContain('would replay 2 records');
      expect((await log.run('topic list')).out).toBe('t\t1\n');
      expect(JSON.parse((await log.run('replay t --dry-run --json')).out).partitions[0]).toMatchObject({
        records: 3,
        firstOffset: 0,
        lastOffset: 2,
      });
    }));
});

describe('klog copy', () => {
  it('makes the target like the source and keeps everything', () =>
    withLog(async (log) => {
      await log.createTopic('t', 3, { 'segment.bytes': '1000000' });
      await log.produce([
        ...numbered('t', 6, 3),
        {
          topic: 't',
          key: '',
          value: '',
          timestamp: 0,
          partition: 2,
          headers: [{ key: 'h', value: Buffer.from([255]) }],
        },
        { topic: 't', key: null, value: null, timestamp: -1, partition: 2 },
      ]);
      expect((await log.run('copy t u')).err).toContain("copied 8 records from 't' to 'u'");
      const strip = (text: string) => text.replaceAll(/"topic":"."/g, '');
      expect(strip((await log.run('consume u -J')).out)).toBe(strip((await log.run('consume t -J')).out));
      expect((await log.run('topic describe u')).out).toContain('1000000');
    }));

  it('chooses partitions by key again where the counts differ, and says so', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.createTopic('u', 1);
      await log.produce(numbered('t', 4, 2));
      expect((await log.run('copy t u')).err).toContain('keys choose the partitions again');
      expect((await log.run('consume u -n 9')).out.trim().split('\n')).toHaveLength(4);
      expect((await log.run('copy t t')).code).toBe(2);
      expect((await log.run('copy nope u')).code).toBe(4);
    }));
});
