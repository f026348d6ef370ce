import { describe, expect, it } from 'vitest';
import { numbered, type RealLog, withLog } from '../support/real-log.js';

/** Something that happens a moment after the command has begun. */
async function soon(work: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 60));
  await work();
}

async function during(log: RealLog, line: string | readonly string[], work: () => Promise<void>) {
  const [result] = await Promise.all([log.run(line), soon(work)]);
  return result;
}

describe('klog wait', () => {
  it('returns at once where it holds already', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      for (const line of ['wait t', 'wait t -n 3', 'wait t --offset 2', 'wait t -G v1', 'wait t -n 0']) {
        expect(await log.run(`${line} --timeout 0s`)).toMatchObject({ code: 0, out: '', err: '' });
      }
    }));

  it('ends with 5 when time is up, and says what is missing', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      const outcome = async (line: string) => {
        const { code, err } = await log.run(`${line} --timeout 20ms`);
        return { code, err };
      };
      const message = (what: string) => ({ code: 5, err: `klog: waited 20 ms: ${what}\n` });
      expect(await outcome('wait t -n 4')).toEqual(message("3 of 4 records in 't'"));
      expect(await outcome('wait t -G v9')).toEqual(message("0 of 1 matching record in 't'"));
      expect(await outcome('wait t -n 2 --filter v=="v1"')).toEqual(message("1 of 2 matching records in 't'"));
      expect(await outcome('wait t --offset 3')).toEqual(message('t:0 ends at 3: there is no record at offset 3 yet'));
      expect(await outcome('wait nope')).toEqual(message("there is no topic 'nope'"));
    }));

  it.each([
    ['wait t -n 4', 'the fourth record'],
    ['wait t -G v3', 'a match'],
    ['wait t --offset 3', 'the offset'],
    ['wait t:0 --from end -n 1', 'the first new record'],
  ])('%s returns with %s', (line) =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      const result = await during(log, line, () => log.produce([{ topic: 't', value: 'v3' }]));
      expect(result.code).toBe(0);
    }),
  );

  it('waits for a topic that is not there, and for its records', () =>
    withLog(async (log) => {
      const make = (topic: string) => () => log.produce([{ topic, value: 'v' }]);
      expect((await during(log, 'wait t', make('t'))).code).toBe(0);
      expect((await during(log, 'wait u -n 1', make('u'))).code).toBe(0);
    }));

  it('tells with --json what was found', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 4, 2));
      const json = async (line: string) => JSON.parse((await log.run(`${line} --json`)).out);
      const elapsedMs = expect.any(Number);
      expect(await json('wait t')).toEqual({ topic: 't', elapsedMs });
      expect(await json('wait t -n 3')).toEqual({ topic: 't', records: 3, partition: 1, offset: 0, elapsedMs });
      expect(await json('wait t:1 --offset 1')).toEqual({
        topic: 't',
        partition: 1,
        offset: 1,
        endOffset: 2,
        elapsedMs,
      });
      const late = await log.run('wait t -n 9 --timeout 10ms --json');
      expect(JSON.parse(late.err)).toMatchObject({ code: 'KLOG_TIMED_OUT', exit: 5, topic: 't' });
    }));

  it('waits until a group has read what there is', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 6, 2));
      const none = await log.run('wait t -g g --timeout 0s');
      expect(none).toMatchObject({ code: 5, err: "klog: waited 0 ms: group 'g' is 6 records behind\n" });
      // Nothing was made by looking.
      expect((await log.run('topic list -i')).out).toBe('t\t2\n');
      const consume = async (line: string) => void (await log.run(line));
      expect((await during(log, 'wait t -g g', () => consume('consume t -g g'))).code).toBe(0);
      await log.produce([{ topic: 't', value: 'more', partition: 1 }]);
      expect((await log.run('wait t -g g --timeout 20ms')).err).toContain("group 'g' is 1 record behind");
      expect((await log.run('wait t -g g --lag 1 --timeout 0s')).code).toBe(0);
      expect((await log.run('wait t:0 -g g --timeout 0s')).code).toBe(0);
      const both = await during(log, 'wait t -g g --json', () => consume('consume t -g g'));
      expect(JSON.parse(both.out)).toEqual({ topic: 't', group: 'g', lag: 0, elapsedMs: expect.any(Number) });
      expect((await during(log, 'wait t -g h', () => consume('consume t -g h'))).code).toBe(0);
    }));

  it.each(['wait t:2', 'wait t -p 2', 'wait t:2 -n 1', 'wait t:2 -g g'])(
    'ends %s with 4, for t has no such partition',
    (line) =>
      withLog(async (log) => {
        await log.createTopic('t', 2);
        const { code, err } = await log.run(`${line} --timeout 0s`);
        expect({ code, err }).toEqual({ code: 4, err: expect.stringContaining('has no partition 2') });
        expect((await log.run('wait t:1 --timeout 0s')).code).toBe(0);
      }),
  );

  it('looks once more at what a group has before it when time is up', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      await log.run('group seek g t --to 1 -y');
      const trim = async () => void (await log.run('topic trim t -o end -y'));
      expect((await during(log, 'wait t -g g --timeout 400ms', trim)).code).toBe(0);
      await log.produce(numbered('t', 1));
      const more = () => log.produce(numbered('t', 2));
      const late = await during(log, 'wait t -g g --timeout 400ms', more);
      expect(late).toMatchObject({ code: 5, err: "klog: waited 400 ms: group 'g' is 3 records behind\n" });
    }));

  it('counts one partition, and from a place on', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 4, 2));
      expect((await log.run('wait t:1 -n 3 --timeout 10ms')).code).toBe(5);
      expect((await log.run('wait t -p 1 -n 2 --timeout 10ms')).code).toBe(0);
      expect((await log.run('wait t --from 1 -n 3 --timeout 10ms')).code).toBe(5);
    }));

  it.each([
    ['wait t --offset 1 -n 1', /exclude each other/],
    ['wait t -g g -n 1', /exclude each other/],
    ['wait t --lag 1', /means nothing without -g/],
    ['wait t --offset 1', /t has 2 partitions.*t:0/],
    ['wait t -p 0,1 --offset 1', /names several/],
    ['wait t --timeout 5', /no unit/],
  ])('refuses %s', (line, message) =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      const { code, err } = await log.run(line);
      expect(code).toBe(2);
      expect(err).toMatch(message);
    }),
  );
});

describe('klog expect', () => {
  it('finds as many records as expected, fewer, and more', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      expect(await log.run('expect t -n 3')).toMatchObject({ code: 0, out: '', err: '' });
      expect(await log.run('expect t -n 4')).toMatchObject({
        code: 5,
        err: "klog: expected 4 records, found 3 in 't'\n",
      });
      expect(await log.run('expect t -n 2')).toMatchObject({
        code: 6,
        err: 'klog: expected 2 records, found another at t:0@2\n',
      });
      expect((await log.run('expect t')).code).toBe(0);
      expect((await log.run('expect t -n 1 -G v1')).code).toBe(0);
      expect((await log.run('expect t -n 0')).code).toBe(6);
    }));

  it('is met by nothing where nothing is expected', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      expect((await log.run('expect t -n 0')).code).toBe(0);
      expect((await log.run('expect t --file -', { stdin: [] })).code).toBe(0);
      expect((await log.run('expect t')).code).toBe(5);
    }));

  it('holds every record against an expression', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      expect((await log.run(['expect', 't', '--filter', 'v.startsWith("v")'])).code).toBe(0);
      const result = await log.run(['expect', 't', '--filter', 'v != "v1"']);
      expect(result).toMatchObject({ code: 6, err: 'klog: the expression does not hold at t:0@1\n' });
      expect((await log.run(['expect', 't', '-n', '4', '--filter', 'v.length == 2'])).code).toBe(5);
    }));

  it('holds what consume would print against a file, with or without its last newline', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 3));
      const against = (text: string, ...words: string[]) =>
        log.run(['expect', 't', '--file', '-', ...words], { stdin: [text] });
      expect((await against('v0\nv1\nv2\n')).code).toBe(0);
      expect((await against('v0\nv1\nv2')).code).toBe(0);
      expect((await against('k0=v0;k1=v1;k2=v2;', '-f', '%k=%v;')).code).toBe(0);
      expect(await against('v0\nv9\nv2\n')).toMatchObject({
        code: 6,
        err: "klog: line 2: expected 'v9', found 'v1' at t:0@1\n",
      });
      expect(await against('v0\n')).toMatchObject({
        code: 6,
        err: "klog: line 2: expected no more, found 'v1' at t:0@1\n",
      });
      expect(await against('v0\nv1\nv2\nv3\n')).toMatchObject({
        code: 5,
        err: "klog: line 4: expected 'v3', found nothing in 't'\n",
      });
      // The same bytes, and more of the same line.
      expect((await against('v0\nv1\nv2x\n')).err).toContain("line 3: expected 'v2x', found 'v2'");
      expect((await against('v0\nv1\nv', '-n', '3')).code).toBe(2);
    }));

  it('has the head of csv before the first record', () =>
    withLog(async (log) => {
      await log.produce([{ topic: 't', value: 'v' }]);
      const printed = (await log.run('consume t -f csv')).out;
      expect((await log.run('expect t -f csv --file -', { stdin: [printed] })).code).toBe(0);
      const other = printed.replace('offset', 'place');
      expect((await log.run('expect t -f csv --file -', { stdin: [other] })).err).toContain('line 1: expected');
    }));

  it('waits for what is missing, and notices one too many', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 1));
      const line = 'expect t -n 2 --timeout 20s';
      expect((await during(log, line, () => log.produce([{ topic: 't', value: 'x' }]))).code).toBe(0);
      await log.produce([{ topic: 'u', value: 'x' }]);
      const wrong = await during(log, ['expect', 'u', '--timeout', '20s', '--file', '-'], () =>
        log.produce([{ topic: 'u', value: 'y' }]),
      );
      expect(wrong.code).toBe(6);
    }));

  it('waits for the topic when given time, and fails without', () =>
    withLog(async (log) => {
      expect((await log.run('expect t')).code).toBe(4);
      expect((await log.run('expect t --timeout 20ms')).code).toBe(5);
      expect((await during(log, 'expect t --timeout 20s', () => log.produce([{ topic: 't', value: 'x' }]))).code).toBe(
        0,
      );
    }));
});
