import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { finished, klog, startKlog } from '../../support/klog-process.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { FakeContext } from '../support/fake-context.js';
import { numbered, type RealLog, withLog } from '../support/real-log.js';

async function topicsOf(log: RealLog): Promise<string> {
  return (await log.run('topic list')).out;
}

/** The object of `--json`; the run must have succeeded. */
async function measured(log: RealLog, line: string) {
  const { code, out, err } = await log.run(`${line} --json`);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out);
}

describe('perf produce', () => {
  it('measures every record in a topic of its own, and leaves nothing behind', () =>
    withLog(async (log) => {
      const result = await measured(log, 'perf produce -n 5000 --record-size 10 -p 3');
      expect(result).toMatchObject({ test: 'produce', partitions: 3, records: 5000, bytes: 50_000, acks: 'all' });
      expect(result).toMatchObject({ interrupted: false, warmupRecords: 0 });
      const { min, p50, p95, p99, 'p99.9': p999, max } = result.latencyMs.acknowledged;
      expect([...[min, p50, p95, p99, p999, max]].sort((a, b) => a - b)).toEqual([min, p50, p95, p99, p999, max]);
      const counts = result.histogram.acknowledged.map((one: { count: number }) => one.count);
      expect(counts.reduce((a: number, b: number) => a + b)).toBe(5000);
      expect(await topicsOf(log)).toBe('');
    }));

  it('writes the payloads of a file in turn into a topic that is named, makes it, and leaves it', () =>
    withLog(async (log) => {
      await log.createTopic('other');
      const file = join(dirname(log.directory), 'payloads');
      writeFileSync(file, 'a;bb;ccc');
      const line = `perf produce mine --num-records 5 --payload-file ${file} --payload-delimiter ;`;
      const { code, out, err } = await log.run(line);
      expect([code, err]).toEqual([0, "created topic 'mine' with 1 partition\n"]);
      expect(out).toMatch(/^5 records, 0\.00 MB in [\d.]+ s: [\d.]+ records\/s, [\d.]+ MB\/s \(acks=all\)\n/);
      expect(out).toMatch(/\nacknowledged ms: mean [\d.]+, min .*, p99\.9 [\d.]+, max [\d.]+ \(from/);
      expect((await log.run('consume mine')).out).toBe('a\nbb\nccc\na\nbb\n');
    }));

  it("takes the settings of Kafka's tool by Kafka's names", () =>
    withLog(async (log) => {
      await log.createTopic('props');
      const line =
        'perf produce props -n 1000 --producer-props acks=1 linger.ms=0 batch.size=2000 compression.type=lz4';
      expect(await measured(log, line)).toMatchObject({ records: 1000, acks: 'written' });
      expect((await log.run('log dump props --json')).out).toMatch(/"compress\w*":"lz4"/i);
    }));

  it.each([
    ['buffer.memory=1', 'buffer.memory means nothing here'],
    ['acks', "'acks' is not name=value"],
    ['acks=many', "'many' is none of all, written, none"],
    ['linger.ms=1s', "linger.ms: '1s' is not a number of milliseconds"],
    ['compression.type=rar', "compression.type: 'rar' is none of none, gzip, snappy, lz4, zstd"],
    ['acks=1 --acks all', '--acks'],
  ])('refuses --producer-props %s', (props, message) =>
    withLog(async (log) => {
      const { code, err } = await log.run(`perf produce -n 1 --producer-props ${props}`);
      expect(code).toBe(2);
      expect(err).toContain(message);
    }),
  );

  it('leaves the warm-up out of the figures, not out of the topic', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      const result = await measured(log, 'perf produce t -n 100 --payload-monotonic --warmup-records 90');
      expect(result).toMatchObject({ records: 10, bytes: 20, warmupRecords: 90 });
      expect((await log.run('consume t -o -1')).out).toBe('99\n');
      expect((await log.run('perf produce t -n 5 --warmup-records 5')).code).toBe(2);
    }));

  it('gives each partition its turn', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await measured(log, 'perf produce t -n 300 --record-size 100 --batch-bytes 10K');
      expect((await log.run('topic offsets t')).out).toMatch(/\t0\t0\t\d+\n.*\t1\t0\t[1-9]\d*\n$/s);
    }));

  it('sends all at a rate, too, and adds what is asked for', () =>
    withLog(async (log) => {
      const line =
        'perf produce -n 30 --throughput 1000/s --print-metrics --show-detailed-stats --reporting-interval 1ms';
      const { metrics, intervals, records } = await measured(log, line);
      expect(metrics.batches).toBeGreaterThan(0);
      expect(metrics['stored.bytes']).toBeGreaterThan(3000);
      expect(intervals.at(-1).records).toBe(records);
    }));

  it.each(['perf produce -n 30', 'perf e2e -n 3'])('%s --throughput -1 is as fast as it goes', (line) =>
    withLog(async (log) => {
      const result = await measured(log, `${line} --throughput -1`);
      expect(result).toMatchObject({ records: Number(line.split(' ').at(-1)), interrupted: false });
    }),
  );

  it.each([
    ['perf produce --record-size 1 --payload-monotonic', '--record-size and --payload-monotonic exclude each other'],
    ['perf produce --payload-delimiter ,', '--payload-delimiter means nothing without --payload-file'],
    ['perf produce t --keep', '--keep means nothing without a topic of its own'],
    ['perf produce t -t u', 'exclude each other'],
    ['perf produce bad/name', 'holds "/"'],
    ['perf produce --throughput fast', "'fast' is no rate"],
    ['perf produce --record-size 9000000000000', 'more than a record can have'],
    ['perf e2e --acks 0', 'acknowledges nothing'],
    ['perf e2e --processes 3', "'3' is neither 1 nor 2"],
    ['perf consume --from-latest', 'means nothing without a topic'],
    ['perf consume t --record-size 5', 'means nothing without a topic of its own'],
  ])('refuses: %s', (line, message) =>
    withLog(async (log) => {
      const { code, err } = await log.run(line);
      expect(code).toBe(2);
      expect(err).toContain(message);
      expect(await topicsOf(log)).toBe('');
    }),
  );

  it('shows a histogram on a terminal', () =>
    withLog(async (log) => {
      const { out } = await log.run('perf produce -n 10 -q', { terminal: true, env: { NO_COLOR: '1' } });
      expect(out).toMatch(/ < [\d.]+ ms +\d+ +[\d.]+% █+\n/);
    }));
});

describe('perf consume', () => {
  it('reads every record of a topic, keys counted, and no more than --messages', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 20, 2));
      const bytes = numbered('t', 20).reduce((sum, { key, value }) => sum + `${key}${value}`.length, 0);
      expect(await measured(log, 'perf consume t')).toMatchObject({ records: 20, bytes, partitions: 2 });
      expect(await measured(log, 'perf consume t --messages 7')).toMatchObject({ records: 7 });
      expect((await log.run('perf consume t --messages 21')).err).toBe('read 20 records of the 21 asked for\n');
      expect((await log.run('perf consume t --messages 21 --timeout 10ms')).code).toBe(5);
      expect((await log.run('perf consume none')).code).toBe(4);
    }));

  it('fills a topic of its own, and deletes it', () =>
    withLog(async (log) => {
      const line = 'perf consume -n 1000 --record-size 1K --show-detailed-stats --hide-header';
      const { out } = await log.run(line);
      expect(out.split('\n')[0]).toMatch(/^\d+\t1000\t0\.977\t/);
      expect(await topicsOf(log)).toBe('');
    }));

  it('counts null keys and values as nothing', () =>
    withLog(async (log) => {
      await log.produce([{ topic: 't', key: null, value: null }]);
      expect(await measured(log, 'perf consume t')).toMatchObject({ records: 1, bytes: 0 });
    }));
});

describe('perf e2e', () => {
  it('sees every record, acknowledged too', () =>
    withLog(async (log) => {
      const result = await measured(log, 'perf e2e -n 12 --warmup-records 2 -p 2');
      expect(result).toMatchObject({ records: 10, bytes: 1000, warmupRecords: 2, processes: 1 });
      expect(Object.keys(result.latencyMs)).toEqual(['acknowledged', 'visible']);
      expect(result.latencyMs.visible.min).toBeGreaterThan(0);
      expect(await topicsOf(log)).toBe('');
    }));

  it('passes over what the topic has already', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 5));
      expect(await measured(log, 'perf e2e t -n 3')).toMatchObject({ records: 3 });
      expect((await log.run('consume t')).out.split('\n').length).toBe(5 + 3 + 1 + 1);
    }));

  it('sees them in another process, too', async () => {
    const cwd = temporaryDirectory();
    const { code, out, err } = await klog(['perf', 'e2e', '-n', '3', '--processes', '2', '--json'], { cwd });
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ records: 3, processes: 2 });
    // Where there was no log there is none.
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('Ctrl-C', () => {
  it('prints what was measured so far, deletes the topic, and ends with 130', async () => {
    const cwd = temporaryDirectory();
    const args = ['perf', 'produce', '-n', '1000000000', '--throughput', '2000', '--show-detailed-stats'];
    const child = startKlog([...args, '--reporting-interval', '5ms', '--hide-header'], { cwd });
    child.stdout!.once('data', () => child.kill('SIGINT'));
    const { code, out } = await finished(child);
    expect(code).toBe(130);
    expect(out).toMatch(/^[1-9]\d* records?, .* records\/s/m);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('before anything was measured is no division by nothing', () =>
    withLog(async (log) => {
      const context = new FakeContext();
      context.interrupt('SIGINT');
      const { runCommandLine } = await import('../../../src/cli/main.js');
      const { openClient } = await import('../../../src/clients/local/open-client.js');
      Object.assign(context, {
        openClient: () => openClient({ directory: log.directory, create: true }),
        env: { KLOG_DIR: log.directory },
      });
      expect(await runCommandLine(['perf', 'produce', '--json'], context)).toBe(130);
      expect(JSON.parse(context.out)).toMatchObject({ records: 0, recordsPerSecond: 0, interrupted: true });
    }));
});
