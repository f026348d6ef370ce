import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openClient } from '../../../src/clients/local/open-client.js';
import { type RealLog, withLog } from '../support/real-log.js';

interface JsonRecord {
  readonly partition: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
}

async function records(log: RealLog, topic: string): Promise<JsonRecord[]> {
  const { out } = await log.run(`consume ${topic} -J`);
  return out === ''
    ? []
    : out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

async function values(log: RealLog, topic: string): Promise<(string | null)[]> {
  return (await records(log, topic)).map(({ value }) => value);
}

describe('klog produce: lines', () => {
  it('makes a record of each line, CRLF, NUL and the last line without newline included', () =>
    withLog(async (log) => {
      const { code, out, err } = await log.run('produce t', { stdin: ['a\n\nb', '\r\n\0c'], now: 1700 });
      expect({ code, out, err }).toEqual({
        code: 0,
        out: '',
        err: `created topic 't' with 1 partition in ${log.directory}\n`,
      });
      expect(await values(log, 't')).toEqual(['a', '', 'b\r', '\0c']);
      expect((await records(log, 't')).every(({ timestamp }) => timestamp === 1700)).toBe(true);
    }));

  it('keeps any bytes in any chunks', () =>
    withLog(async (log) => {
      const chunks = fc.sample(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 40 }), {
        numRuns: 1,
        seed: 7,
      })[0]!;
      const bytes = Buffer.concat([...chunks, Buffer.from('\n')]);
      await log.run('produce t', { stdin: [...chunks, '\n'] });
      const hex = (await log.run(['consume', 't', '-f', '%v{hex}0a'])).out;
      expect(hex).toBe(bytes.toString('hex'));
    }));

  it('creates the topic for an empty input', () =>
    withLog(async (log) => {
      expect(await log.run('produce t')).toMatchObject({ code: 0, out: '' });
      expect(await log.run('consume t')).toMatchObject({ code: 0, out: '' });
    }));

  it('takes other delimiters, of several bytes, and NUL', () =>
    withLog(async (log) => {
      await log.run(['produce', 'a', '-D', '\\r\\n'], { stdin: ['1\r', '\n2\r3\r\n'] });
      await log.run('produce b -0', { stdin: ['1\n2\0', '3'] });
      expect(await values(log, 'a')).toEqual(['1', '2\r3']);
      expect(await values(log, 'b')).toEqual(['1\n2', '3']);
    }));

  it('splits keys at the first separator, and takes an empty one', () =>
    withLog(async (log) => {
      await log.run('produce t -K ::', { stdin: ['k::v::w\n::e\nk2::\n'] });
      expect((await records(log, 't')).map(({ key, value }) => [key, value])).toEqual([
        ['k', 'v::w'],
        ['', 'e'],
        ['k2', ''],
      ]);
    }));

  it('stops at a line without separator, with its number and what is safe', () =>
    withLog(async (log) => {
      const { code, err } = await log.run('produce t -K : -q', { stdin: ['k:v\nnone\nx:y\n'] });
      expect(code).toBe(3);
      expect(err).toMatch(/^1 record is durable, the last at t:0@0\nklog: line 2, byte 4: no separator ':'.*\n$/);
      expect(await values(log, 't')).toEqual(['v']);
    }));

  it('gives lines without separator a null key, or skips them, when told so', () =>
    withLog(async (log) => {
      const stdin = ['k:v\nnone\nx:y\n'];
      await log.run('produce a -K : --key-optional', { stdin });
      expect((await records(log, 'a')).map(({ key }) => key)).toEqual(['k', null, 'x']);
      const letters = `${log.directory}.dead`;
      writeFileSync(letters, 'before\n');
      const skipping = await log.run(`produce b -K : --skip-bad --dead-letter ${letters}`, { stdin });
      expect(skipping).toMatchObject({ code: 0, err: expect.stringContaining('skipped 1 bad record') });
      expect(await values(log, 'b')).toEqual(['v', 'y']);
      expect(readFileSync(letters, 'utf8')).toBe('before\nnone\n');
    }));

  it('adds key, headers, timestamp and partition; -Z makes empty values null and leaves keys', () =>
    withLog(async (log) => {
      await log.createTopic('t', 3);
      const line = ['produce', 't', '-k', '', '-H', 'a=1', '-H', 'b', '-H', 'c=', '-H', 'd:x=y', '-H', 'a=2'];
      await log.run([...line, '--timestamp', '2024-01-01', '-p', '2', '-Z', '-D', '\\n'], { stdin: ['v\n\n'] });
      const headers = [
        { key: 'a', value: '1' },
        { key: 'b', value: null },
        { key: 'c', value: '' },
        { key: 'd', value: 'x=y' },
        { key: 'a', value: '2' },
      ];
      const common = { partition: 2, timestamp: Date.UTC(2024, 0, 1), key: '', headers };
      expect(await records(log, 't')).toMatchObject([
        { ...common, value: 'v' },
        { ...common, value: null },
      ]);
    }));

  it('refuses a line that is too large, with its size, and keeps what came before', () =>
    withLog(async (log) => {
      await log.createTopic('t', 1, { 'max.message.bytes': '2000000' });
      const chunks = ['ok\n', ...Array.from({ length: 30 }, () => 'x'.repeat(100_000)), '\nafter\n'];
      const carried = await log.run('produce t', { stdin: chunks });
      expect(carried.code).toBe(3);
      expect(carried.err).toMatch(/1 record is durable.*\nklog: line 2, byte 3: a line of 3000000 bytes .* 2000000 /);
      const inOneChunk = await log.run('produce t', { stdin: [chunks.join('')] });
      expect(inOneChunk.code).toBe(3);
      expect(inOneChunk.err).toMatch(/klog: line 2, byte 3: a record of 30000\d\d bytes/);
      const skipping = await log.run('produce t --skip-bad --json', { stdin: chunks });
      expect(JSON.parse(skipping.out)).toMatchObject({ records: 2, skipped: 1 });
      expect(await values(log, 't')).toEqual(['ok', 'ok', 'ok', 'after']);
    }));

  it('keeps to a rate', () =>
    withLog(async (log) => {
      const before = performance.now();
      await log.run('produce t --rate 100/s', { stdin: ['1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n'] });
      expect(performance.now() - before).toBeGreaterThan(85);
      expect(await values(log, 't')).toHaveLength(10);
    }));
});

describe('klog produce: other inputs', () => {
  it('writes one record from --value and whole files, an empty one too', () =>
    withLog(async (log) => {
      const file = `${log.directory}.in`;
      writeFileSync(file, 'one\ntwo\n');
      writeFileSync(`${file}.empty`, '');
      await log.run(['produce', 't', '--value', 'a b'], { stdin: ['not read\n'] });
      await log.run(`produce t --file ${file} --file ${file}.empty`);
      await log.run(`produce t --lines ${file}`);
      expect(await values(log, 't')).toEqual(['a b', 'one\ntwo\n', '', 'one', 'two']);
    }));

  it('writes a tombstone for -k with -Z alone, and leaves standard input unread', () =>
    withLog(async (log) => {
      const stdin = ['not read\n'];
      await log.run('produce t -k u1 -Z', { stdin });
      await log.run('produce t -k u2 -Z --lines -', { stdin });
      expect(await records(log, 't')).toMatchObject([
        { key: 'u1', value: null },
        { key: 'u2', value: 'not read' },
      ]);
    }));

  it('makes nothing when a file is missing', () =>
    withLog(async (log) => {
      expect(await log.run('produce t --lines missing')).toMatchObject({ code: 1 });
      expect((await log.run('topic list')).out).toBe('');
    }));

  it('round-trips JSON records, the topic from the command line, the partition only when asked for', () =>
    withLog(async (log) => {
      for (const topic of ['a', 'b', 'c']) await log.createTopic(topic, 4);
      const producing = ['produce', 'a', '-p', '3', '-H', 'h', '-H', 'h=x', '-K', ':', '--timestamp', '5'];
      await log.run([...producing, '-Z'], { stdin: [Buffer.from('k:v\nk2:\n\xff\x00:\xfe\n', 'latin1')] });
      const dump = (await log.run('consume a -J')).out;
      await log.run('produce b -J', { stdin: [dump.slice(0, 20), dump.slice(20)] });
      await log.run('produce c -J --keep-partition', { stdin: [dump] });
      const normal = (text: string) => text.replace(/"topic":"."/g, '').replace(/"offset":\d+/g, '');
      expect(normal((await log.run('consume c -J')).out)).toBe(normal(dump));
      const moved = (await records(log, 'b')).map(({ key, partition }) => `${key} ${partition}`);
      expect(moved.some((one) => !one.endsWith('3'))).toBe(true);
    }));

  it.each(['csv', 'tsv'])('round-trips %s as it does JSON', (format) =>
    withLog(async (log) => {
      for (const topic of ['a', 'b', 'c']) await log.createTopic(topic, 4);
      const producing = ['produce', 'a', '-p', '3', '-H', 'h', '-H', 'h=x', '-K', ':', '--timestamp', '5'];
      await log.run([...producing, '-Z'], { stdin: [Buffer.from('k:v\nk2:\n\xff\x00,\t:"\r\n', 'latin1')] });
      const { context } = await log.run(`consume a -f ${format}`);
      const dump = context.bytes;
      await log.run(`produce b -f ${format}`, { stdin: [dump.subarray(0, 20), dump.subarray(20)] });
      await log.run(`produce c -f ${format} --keep-partition`, { stdin: [dump] });
      const normal = (text: string) => text.replace(/"topic":"."/g, '').replace(/"offset":\d+/g, '');
      expect(normal((await log.run('consume c -J')).out)).toBe(normal((await log.run('consume a -J')).out));
      expect((await records(log, 'b')).some(({ partition }) => partition !== 3)).toBe(true);
      const stdin = ['value\tkey\nv\tk\nv\nw\tl'];
      const stopped = await log.run('produce d -f tsv', { stdin });
      expect(stopped).toMatchObject({
        code: 3,
        err: expect.stringMatching(/klog: Record 2 \(line 3, byte 14\): 1 fields/),
      });
      expect(await log.run('produce d -f tsv --skip-bad', { stdin })).toMatchObject({ code: 0 });
      expect(await values(log, 'd')).toEqual(['v', 'v', 'w']);
      expect(await log.run('produce d -f tsv --skip-bad', { stdin: ['1\t2\n'] })).toMatchObject({ code: 3 });
    }),
  );

  it('reads other tools, defaults what a record does not say, and overrides what it does', () =>
    withLog(async (log) => {
      const kcat = '{"topic":"x","partition":0,"offset":1,"tstype":"create","ts":1700,"key":"k","payload":"p"}\n';
      await log.run('produce t -J -k d -H a=1', { stdin: [kcat, '{"value":"v"}'], now: 9 });
      await log.run('produce t -J --timestamp 1700000000', { stdin: [kcat] });
      expect(await records(log, 't')).toMatchObject([
        { key: 'k', value: 'p', timestamp: 1700, headers: [{ key: 'a', value: '1' }] },
        { key: 'd', value: 'v', timestamp: 9 },
        { timestamp: 1_700_000_000_000, headers: [] },
      ]);
    }));

  it('refuses timestamps below -1, which stands for none, in whatever input, as bad input with its line', () =>
    withLog(async (log) => {
      const bad = { code: 3, err: expect.stringMatching(/klog: line 2, byte \d+: timestamp -2 is before 1970/) };
      const json = (timestamp: number) => `${JSON.stringify({ value: 'v', timestamp })}\n`;
      expect(await log.run('produce t -J', { stdin: [json(-1), json(-2)] })).toMatchObject(bad);
      expect(await log.run(['produce', 't', '-f', '%d %v\\n'], { stdin: ['-1 v\n-2 v\n'] })).toMatchObject(bad);
      expect((await records(log, 't')).map(({ timestamp }) => timestamp)).toEqual([-1, -1]);
      expect(await log.run('produce t -J --timestamp 5', { stdin: [json(-2)] })).toMatchObject({ code: 0 });
    }));

  it('reads a format, and with %t writes to the topics that records name', () =>
    withLog(async (log) => {
      const { code, err } = await log.run(['produce', '-f', '%t %k=%v\\n'], { stdin: ['x a=1\ny b=2\nx c', '=3'] });
      expect(code).toBe(0);
      expect(err.match(/created topic/g)).toHaveLength(2);
      expect(await values(log, 'x')).toEqual(['1', '3']);
      expect(await values(log, 'y')).toEqual(['2']);
      expect(await log.run(['produce', '-f', '%t %v\\n'], { stdin: ['x 4\nb/ad 5\n'] })).toMatchObject({
        code: 3,
        err: expect.stringMatching(/1 record is durable.*\nklog: line 2, byte 4: 'b\/ad' is no name of a topic/),
      });
    }));

  it('skips records that cannot be read or are refused, and keeps their bytes', () =>
    withLog(async (log) => {
      await log.createTopic('t', 1, { 'max.message.bytes': '2000' });
      const letters = `${log.directory}.dead`;
      const large = `{"value":"${'x'.repeat(3000)}"}`;
      const stdin = [`{"value":"a"}\n{"val":1}\n${large}\n{"value":"b"}\n`];
      const stopped = await log.run('produce t -J', { stdin });
      expect(stopped).toMatchObject({ code: 3, err: expect.stringMatching(/^1 record is durable.*\nklog: .*line 2/) });
      await log.run(`produce t -J --skip-bad --dead-letter ${letters}`, { stdin });
      expect(await values(log, 't')).toEqual(['a', 'a', 'b']);
      expect(readFileSync(letters, 'utf8')).toBe(`{"val":1}\n${large}\n`);
    }));

  it('checks and encodes values', () =>
    withLog(async (log) => {
      expect(await log.run('produce t --value-format json', { stdin: ['{"a": 1}\nnope\n'] })).toMatchObject({
        code: 3,
        err: expect.stringContaining('line 2, byte 9: '),
      });
      await log.run('produce t --value-format msgpack', { stdin: ['{"a":1}\n'] });
      expect((await log.run(['consume', 't', '-f', '%v{hex} '])).out).toBe('7b2261223a317d 81a16101 ');
    }));
});

describe('klog produce: what it says', () => {
  it('prints where each record went, a line each', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      const stdin = ['a\nb\n'];
      expect((await log.run('produce t -p 1 --report %t:%p@%o=%v', { stdin })).out).toBe('t:1@0=a\nt:1@1=b\n');
      expect((await log.run(['produce', 't', '-p', '1', '-o', '%o\\n'], { stdin })).out).toBe('2\n3\n');
    }));

  it('reports what is safe before a record that is refused, and skips it when told so', () =>
    withLog(async (log) => {
      await log.createTopic('t', 1, { 'max.message.bytes': '2000' });
      const stdin = [`a\n${'x'.repeat(3000)}\nb\n`];
      const stopped = await log.run('produce t --report %o', { stdin });
      expect(stopped).toMatchObject({ code: 3, out: '0\n', err: expect.stringMatching(/line 2, byte 2: a record of/) });
      const letters = `${log.directory}.dead`;
      const line = `produce t --report %o --skip-bad --dead-letter ${letters}`;
      expect(await log.run(line, { stdin })).toMatchObject({ code: 0, out: '1\n2\n' });
      expect(readFileSync(letters, 'utf8')).toBe(`${'x'.repeat(3000)}\n`);
    }));

  it.each(['', ' -K :', ' -J', ' --report %o', ' --rate 1000/s'])(
    'with --skip-bad%s ends at what the topic refuses, its deletion: no later record is bad for that',
    (flags) =>
      withLog(async (log) => {
        await log.createTopic('t');
        const letters = `${log.directory}.dead`;
        let read = 0;
        async function* stdin() {
          const line = (value: string) => (flags === ' -J' ? `{"value":"${value}"}\n` : `k:${value}\n`);
          yield line('stored');
          await sleep(30);
          const client = await openClient({ directory: log.directory });
          await client.admin().deleteTopic('t');
          await client.close();
          for (; read < 20; read++) {
            await sleep(20);
            yield line('lost');
          }
        }
        const result = await log.run(`produce t${flags} --linger 0ms --skip-bad --dead-letter ${letters}`, {
          stdin: stdin(),
        });
        expect(result).toMatchObject({ code: 4, err: expect.stringContaining('was deleted while it was written to') });
        expect(readFileSync(letters, 'utf8')).toBe('');
        expect(read).toBeLessThan(10);
      }),
  );

  it.each(['', ' -K :', ' -J', ' --report %o', ' --rate 1/s', ' --skip-bad'])(
    'with%s hears of a failure while its input is idle',
    { timeout: 5000 },
    (flags) =>
      withLog(async (log) => {
        await log.createTopic('t');
        const line = (value: string) => (flags === ' -J' ? `{"value":"${value}"}\n` : `k:${value}\n`);
        async function* stdin() {
          yield line('stored');
          await sleep(50);
          const client = await openClient({ directory: log.directory });
          await client.admin().deleteTopic('t');
          await client.close();
          // Of the last line only the beginning comes.
          yield `${line('lost')}${line('cut').slice(0, -3)}`;
          await new Promise(() => {});
        }
        const result = await log.run(`produce t${flags}`, { stdin: stdin() });
        expect(result).toMatchObject({ code: 4, err: expect.stringContaining('was deleted while it was written to') });
        expect(result.err).not.toContain('skipped');
      }),
  );

  it('prints one object with --json, after a failure, too', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      const line = 'produce t --json --partitioner round-robin -K :';
      const { code, out, err } = await log.run(line, { stdin: ['a:1\nb:2\nc:3\nd\n'] });
      expect(code).toBe(3);
      expect(JSON.parse(out)).toEqual({
        topic: 't',
        records: 3,
        bytes: expect.any(Number),
        partitions: [
          { partition: 0, firstOffset: 0, lastOffset: 1 },
          { partition: 1, firstOffset: 0, lastOffset: 0 },
        ],
        elapsedMs: expect.any(Number),
      });
      expect(JSON.parse(err)).toMatchObject({ code: 'KLOG_BAD_INPUT', exit: 3, line: 4 });
    }));

  it('is silent without a terminal, sums up with -v, and prompts on one', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      expect(await log.run('produce t', { stdin: ['a\n'] })).toMatchObject({ out: '', err: '' });
      expect((await log.run('produce t -v', { stdin: ['a\n'] })).err).toMatch(/^1 record, \d+ B in .*: t:0@1\n$/);
      const typed = await log.run('produce t', { stdin: ['a\n', 'b\n'], terminal: true });
      expect(typed.err).toMatch(/^> > > \n2 records, .*: t:0@2-3\n$/);
    }));

  it('copies its input with -T', () =>
    withLog(async (log) => {
      expect((await log.run('produce t -T', { stdin: ['a\n', 'b'] })).out).toBe('a\nb');
      const gone = { stdin: ['a\n', 'b'], writeError: { at: 1, code: 'EPIPE' } };
      expect((await log.run('produce t -T', gone)).code).toBe(0);
      expect(await values(log, 't')).toHaveLength(4);
    }));

  it('says what is durable where the copy of -T could not be written', () =>
    withLog(async (log) => {
      const full = { stdin: ['a\n', 'b'], writeError: { at: 1, code: 'ENOSPC' } };
      expect(await log.run('produce t -T -q', full)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^1 record is durable, the last at t:0@0\nklog: writing standard output/),
      });
      // Shorter than what waits to be written.
      const { code, err } = await log.run('produce t -T', { ...full, stdin: ['c'] });
      expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('durable, the last at t:0@') });
    }));

  it('shows in its help what each mode of --acks promises', async () =>
    withLog(async (log) => {
      const { code, out } = await log.run('produce --help');
      expect(code).toBe(0);
      expect(out).toMatch(/--acks all .*survives a power loss/);
      expect(out).toMatch(/--acks written .*survives the death of klog/);
      expect(out).toMatch(/--acks none .*nothing/);
    }));
});

describe('klog produce: what it refuses', () => {
  it.each([
    '-K : -k a',
    '-K : -J',
    '-K : -f %v',
    '-J -f %v',
    '-J -D x',
    '-f %v -0',
    '-D a -0',
    '--value a --file b',
    '--value a --lines b',
    '--value a -J',
    '--file a -K :',
    '--file - --file a --file -',
    '--key-optional',
    '--keep-partition',
    '-J --keep-partition -p 1',
    '--dead-letter x',
    '--report %o --json',
    '-T --json',
    '-o x',
    '-f table',
    '--property print.key=true',
    '-f kafka --property nope=1',
    '-f csv -D x',
    '-f %z',
    '-D \\q',
    '--linger 5',
    '--rate 0',
    '--acks 2',
    '-p -1',
    '-z brotli',
    '--timestamp yesterday',
    '--timestamp 1969-12-31T23:59:59.999Z',
    '--batch-bytes 0',
    '-t other',
  ])('%s', (flags) =>
    withLog(async (log) => {
      const { code, out, err } = await log.run(`produce t ${flags}`);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/^(klog: .+|\{.+\})\n$/);
      expect((await log.run('topic list')).out).toBe('');
    }),
  );

  it('names without a topic, illegal ones and internal ones', () =>
    withLog(async (log) => {
      expect((await log.run('produce')).code).toBe(2);
      expect((await log.run('produce a/b')).code).toBe(2);
      expect((await log.run('produce __consumer_offsets')).code).toBe(2);
      expect((await log.run('produce __consumer_offsets --force -k a --value b')).code).toBe(0);
    }));

  it('an unknown topic with --no-create, and a partition that is not there', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      expect(await log.run('produce other --no-create')).toMatchObject({
        code: 4,
        err: expect.stringMatching(/^klog/),
      });
      expect((await log.run('produce other -p 1', { stdin: ['a\n'] })).code).toBe(4);
      expect((await log.run('produce t -p 1', { stdin: ['a\n'] })).code).toBe(4);
      expect((await log.run('topic list')).out).toBe('t\t1\n');
    }));

  it('keyless records for a compacted topic', () =>
    withLog(async (log) => {
      await log.createTopic('t', 1, { 'cleanup.policy': 'compact' });
      expect(await log.run('produce t', { stdin: ['a\n'] })).toMatchObject({
        code: 3,
        err: expect.stringContaining('line 1'),
      });
    }));

  it('takes --acks from the environment, a flag first', () =>
    withLog(async (log) => {
      expect((await log.run('produce t', { env: { KLOG_ACKS: 'some' } })).code).toBe(2);
      expect((await log.run('produce t --acks 1', { env: { KLOG_ACKS: 'some' } })).code).toBe(0);
    }));
});
