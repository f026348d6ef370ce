import { describe, expect, it } from 'vitest';
import type { ProducerRecord } from '../../../src/clients/producer.js';
import { numbered, type RealLog, withLog } from '../support/real-log.js';

const env = { PATH: process.env.PATH ?? '' };
const REDRIVE = 'replay dlq --to-header __connect.errors.topic';

function letter(topic: string, partition: number, value: string, more: Record<string, string> = {}): ProducerRecord {
  const from = { '__connect.errors.topic': topic, '__connect.errors.partition': String(partition), ...more };
  const headers = Object.entries(from).map(([key, text]) => ({ key, value: text }));
  return { topic: 'dlq', key: 'k', value, headers, timestamp: 7 };
}

async function printed(log: RealLog, topic: string): Promise<string> {
  return (await log.run(['consume', topic, '-f', '%p/%o %k=%v %d\\n'])).out;
}

describe('replay --to-header', () => {
  it('sends what failed back to where it came from, as it was', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 4, 2));
      const failing = ['consume', 't', '--retries', '0', '--dlq', 'dlq', '--exec', '[ $KLOG_RECORD_OFFSET = 0 ]'];
      expect((await log.run(failing, { env })).code).toBe(0);
      const result = await log.run(REDRIVE);
      expect(result).toMatchObject({ code: 0, out: '' });
      expect(result.err).toBe("sent 2 records of 'dlq' back\nto 't': 2 records\n");
      const back = (await log.run('consume t -J -o 2')).out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(back).toMatchObject([
        { partition: 0, key: 'k2', value: 'v2', timestamp: 1_700_000_002_000 },
        { partition: 1, key: 'k3', value: 'v3', timestamp: 1_700_000_003_000 },
      ]);
      expect(back[0].headers).toEqual([
        { key: 'klog.origin.topic', value: 'dlq' },
        { key: 'klog.origin.topic.id', value: expect.stringMatching(/^[\w-]{22}$/) },
        { key: 'klog.origin.partition', value: '0' },
        { key: 'klog.origin.offset', value: '0' },
        { key: 'klog.redrives', value: '1' },
      ]);
    }));

  it('lets stay what cannot go back, says why, and ends with 1', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce([
        letter('t', 0, 'fine'),
        letter('gone', 0, 'no topic'),
        letter('dlq', 0, 'from itself'),
        letter('__consumer_offsets', 0, 'internal'),
        letter('a/b', 0, 'no name'),
        letter('t', 0, 'again', { 'klog.redrives': '3' }),
        { topic: 'dlq', value: 'no headers' },
      ]);
      const { code, err } = await log.run(REDRIVE);
      expect(code).toBe(1);
      expect(err).toBe(
        [
          "dlq:0@1 stays: there is no topic 'gone'",
          'dlq:0@2 stays: its headers say that it came from here',
          "dlq:0@3 stays: '__consumer_offsets' is an internal topic",
          "dlq:0@4 stays: there is no topic 'a/b'",
          'dlq:0@5 stays: it was sent back 3 times already',
          'dlq:0@6 stays: it has no header __connect.errors.topic',
          "sent 1 record of 'dlq' back",
          "to 't': 1 record",
          "klog: 6 records of 'dlq' stayed: they cannot be sent back\n",
        ].join('\n'),
      );
      expect(await printed(log, 't')).toBe('0/0 k=fine 7\n');
    }));

  it('lets stay what its topic does not take, and goes on behind it', () =>
    withLog(async (log) => {
      await log.createTopic('t', 1, { 'max.message.bytes': '300' });
      await log.createTopic('latest', 1, { 'cleanup.policy': 'compact' });
      await log.produce([
        letter('t', 0, 'a'),
        letter('t', 0, 'x'.repeat(500)),
        { ...letter('latest', 0, 'keyless'), key: null },
        letter('t', 0, 'b'),
      ]);
      const { code, err } = await log.run(REDRIVE);
      expect(code).toBe(1);
      expect(err).toMatch(/^dlq:0@1 stays: a record of \d+ bytes, .* 300 bytes that t takes/);
      expect(err).toContain('dlq:0@2 stays: a record without a key cannot go to latest, which is compacted\n');
      expect(err).toContain("sent 2 records of 'dlq' back\n");
      expect(await printed(log, 't')).toBe('0/0 k=a 7\n0/1 k=b 7\n');
      await log.run('topic alter t --set max.message.bytes=1000');
      expect((await log.run(`${REDRIVE} --resume`)).err).toContain("sent 1 record of 'dlq' back\n");
      expect(await printed(log, 't')).toContain('0/2 k=xxx');
    }));

  it('sends back once more with --max-redrives, counting on', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce([letter('t', 0, 'v', { 'klog.redrives': '3' })]);
      expect((await log.run(`${REDRIVE} --max-redrives 4`)).code).toBe(0);
      expect((await log.run(['consume', 't', '-f', '%h{name:klog.redrives}\\n'])).out).toBe('4\n');
    }));

  it('goes by the key where the topic has no such partition', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce([letter('t', 9, 'a'), { ...letter('t', 0, 'b'), headers: [{ key: 'from', value: 't' }] }]);
      expect((await log.run(`${REDRIVE} --to-header from`)).code).toBe(0);
      const out = await printed(log, 't');
      expect(out).toMatch(/^(\d)\/0 k=a 7\n\1\/1 k=b 7\n$/);
    }));

  it('shows with --dry-run what would go where, and sends nothing', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce([letter('t', 0, 'a'), letter('gone', 0, 'b')]);
      const result = await log.run(`${REDRIVE} --dry-run`);
      expect(result.code).toBe(1);
      expect(result.out).toBe("would send 1 record of 'dlq' back\nto 't': 1 record\n");
      expect(result.err).toBe(
        "dlq:0@1 would stay: there is no topic 'gone'\nklog: 1 record of 'dlq' would stay: they cannot be sent back\n",
      );
      expect(await printed(log, 't')).toBe('');
      expect(JSON.parse((await log.run(`${REDRIVE} --dry-run --json`)).out)).toEqual({
        source: 'dlq',
        records: 1,
        targets: [{ topic: 't', records: 1 }],
        stayed: 1,
        dryRun: true,
      });
    }));

  it('goes on with --resume with what is not there yet, whichever that is', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.createTopic('u');
      await log.produce([letter('t', 0, 'a'), letter('u', 0, 'b'), letter('t', 0, 'c'), letter('u', 0, 'd')]);
      // As if it had been interrupted with one of the topics ahead of the other.
      expect((await log.run(`${REDRIVE} -G [ac]`)).code).toBe(0);
      const { err } = await log.run(`${REDRIVE} --resume`);
      expect(err).toBe("sent 2 records of 'dlq' back\nto 'u': 2 records\n");
      expect(await printed(log, 't')).toBe('0/0 k=a 7\n0/1 k=c 7\n');
      expect(await printed(log, 'u')).toBe('0/0 k=b 7\n0/1 k=d 7\n');
      expect((await log.run(`${REDRIVE} --resume`)).err).toBe("sent 0 records of 'dlq' back\n");
    }));

  it('takes nothing for sent that was of a topic which had the name before', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce([letter('t', 0, 'first')]);
      await log.run(REDRIVE);
      await log.run('topic delete dlq -y');
      await log.produce([letter('t', 0, 'second')]);
      expect((await log.run(`${REDRIVE} --resume`)).err).toContain('sent 1 record');
      expect((await log.run(`${REDRIVE} --resume`)).err).toContain('sent 0 records');
      expect((await log.run('consume t')).out).toBe('first\nsecond\n');
    }));

  it('ends at -n', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce([letter('t', 0, 'a'), letter('t', 0, 'b')]);
      await log.run(`${REDRIVE} -n 1`);
      expect(await printed(log, 't')).toBe('0/0 k=a 7\n');
    }));

  it.each([
    [`${REDRIVE} --into t`, /exclude each other/],
    [`${REDRIVE} --exec cat`, /exclude each other/],
    ['replay dlq --max-redrives 1', /means nothing without --to-header/],
    ['replay dlq --resume', /means nothing without --into or --to-header/],
  ])('refuses %s', (line, message) =>
    withLog(async (log) => {
      await log.createTopic('dlq');
      const { code, err } = await log.run(line);
      expect(code).toBe(2);
      expect(err).toMatch(message);
    }),
  );
});
