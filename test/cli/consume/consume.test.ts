import { describe, expect, it } from 'vitest';
import { ControlFile } from '../../../src/storage/control-file.js';
import { nodeFileSystem } from '../../../src/storage/file-system-node.js';
import { DEFAULT_LOG_CONFIG } from '../../../src/storage/log-config.js';
import { PartitionLocks } from '../../../src/storage/partition-locks.js';
import { PartitionLog } from '../../../src/storage/partition-log.js';
import { buildBatch } from '../../support/build-batch.js';
import { numbered, withLog } from '../support/real-log.js';

describe('klog consume', () => {
  it('prints values from the start to the end, partitions one after the other', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 5, 2));
      expect(await log.run('consume t')).toMatchObject({ code: 0, out: 'v0\nv2\nv4\nv1\nv3\n', err: '' });
      expect((await log.run('consume t --order time')).out).toBe('v0\nv1\nv2\nv3\nv4\n');
      expect((await log.run('consume t --reverse')).out).toBe('v4\nv2\nv0\nv3\nv1\n');
      expect((await log.run('consume t:1')).out).toBe('v1\nv3\n');
      expect((await log.run('consume t -p 0')).out).toBe('v0\nv2\nv4\n');
    }));

  it('reads backwards what it reads forwards: each partition once, and no offset that is out of range', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 5, 2));
      const backwards = async (line: string) => (await log.run(`${line} --reverse`)).out;
      expect(await backwards('consume t t')).toBe('v4\nv2\nv0\nv3\nv1\n');
      expect(await backwards('consume t:1 t')).toBe('v3\nv1\nv4\nv2\nv0\n');
      expect(await backwards('consume t -o 0=1:2,1=0:1')).toBe('v2\nv1\n');
      expect(await backwards('consume t -o 1:')).toBe('v4\nv2\nv3\n');
      expect(await backwards('consume t -o @1700000001000:1700000004000')).toBe('v2\nv3\nv1\n');
      expect(await backwards('consume t -o 3')).toBe('');
      for (const line of ['consume t -o 9', 'consume t:1 -o 3']) {
        const { code, err } = await log.run(line);
        expect(code).toBe(4);
        expect(await log.run(`${line} --reverse`)).toMatchObject({ code, err, out: '' });
      }
    }));

  it.each([
    ['consume nope', 4],
    ['consume nope -F', 4],
    ['consume nope --reverse', 4],
    ['consume nope -g g', 4],
    ['consume nope --exec cat', 4],
    ['consume t:4', 4],
    ['consume t -o 9', 4],
    ['consume t', 0],
    ['consume t -F', 0],
    ['consume t -g g', 0],
    ['consume t -g h -o 9', 0],
    ['consume -r t -g g', 0],
    ['replay nope', 4],
    ['replay t', 0],
  ])('says of no records what it says of some: %s -n 0 is %i', (line, code) =>
    withLog(async (log) => {
      await log.produce(numbered('t', 1));
      const some = await log.run(`${line} -n 1`);
      const none = await log.run(`${line} -n 0`);
      expect([some.code, none.code, none.out]).toEqual([code, code, '']);
      if (code !== 0) expect(none.err).toBe(some.err);
    }),
  );

  it('begins what it prints also of no records', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 1));
      const [header] = (await log.run('consume t -f csv')).out.split('\n');
      expect((await log.run('consume t -f csv -n 0')).out).toBe(`${header}\n`);
    }));

  it('says the offsets of records that are merged by time', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.produce(numbered('t', 5, 2));
      const offsets = '0:0 1:0 0:1 1:1 0:2 ';
      expect((await log.run(['consume', 't', '--order', 'time', '-f', '%p:%o '])).out).toBe(offsets);
      const json = (await log.run('consume t --order time -J')).out.trim().split('\n');
      expect(json.map((line) => JSON.parse(line).offset)).toEqual([0, 0, 1, 1, 2]);
      expect((await log.run(['consume', 't', '--order', 'time', '--filter', 'm.offset >= 1'])).out).toBe(
        'v2\nv3\nv4\n',
      );
    }));

  it('prints partitions that were filled in turn by time, many records at once', () =>
    withLog(async (log) => {
      await log.createTopic('t', 3);
      const count = 240;
      const records = Array.from({ length: count }, (_, i) => ({
        topic: 't',
        partition: i % 3,
        timestamp: 1000 + i,
        key: i % 7 === 0 ? null : `k${i}`,
        value: i === 80 ? null : i === 130 ? 'x'.repeat(200_000) : `v${i}`,
        headers: i === 100 ? [{ key: 'h', value: Buffer.from('x') }] : [],
      }));
      await log.produce(records);
      const lines = (text: (record: (typeof records)[number], i: number) => string, some = records) =>
        some.map((record, i) => `${text(record, i)}\n`).join('');
      const byTime = async (...options: string[]) =>
        (await log.run(['consume', 't', '--order', 'time', ...options])).out;
      expect(await byTime()).toBe(lines(({ value }) => value ?? ''));
      expect(await byTime('-K', '=')).toBe(lines(({ key, value }) => `${key ?? ''}=${value ?? ''}`));
      expect(await byTime('-Z')).toBe(lines(({ value }) => value ?? 'NULL'));
      expect(await byTime('-f', '%p@%o\\n')).toBe(lines((_, i) => `${i % 3}@${Math.floor(i / 3)}`));
      for (const most of [17, 151]) {
        expect(await byTime('-n', String(most))).toBe(lines(({ value }) => value ?? '', records.slice(0, most)));
      }
      expect(await byTime('-o', '10:-10')).toBe(lines(({ value }) => value ?? '', records.slice(30, -30)));
    }));

  it('shows MessagePack as JSON in every form, with keys, headers and times as they were', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      const lines = ['k1\t{"a":[1,null]}\n', 'k2\t"text"\n'];
      await log.run(['produce', 't', '--value-format', 'msgpack', '-K', '\\t', '-H', 'h=x', '--timestamp', '7000'], {
        stdin: lines,
      });
      await log.run('produce t -k gone -Z', { stdin: ['\n'] });
      const show = async (...options: string[]) =>
        await log.run(['consume', 't', '--value-format', 'msgpack', ...options]);
      expect((await show()).out).toBe('{"a":[1,null]}\n"text"\n\n');
      expect((await show('-K', '=')).out).toBe('k1={"a":[1,null]}\nk2="text"\ngone=\n');
      expect((await show('-f', '%k %v %o %h{%k:%v}\\n', '-n', '1')).out).toBe('k1 {"a":[1,null]} 0 h:x\n');
      const first = JSON.parse((await show('-J', '-n', '1')).out);
      expect(first).toMatchObject({
        offset: 0,
        key: 'k1',
        value: '{"a":[1,null]}',
        headers: [{ key: 'h', value: 'x' }],
      });
      const raw = await log.run(['consume', 't', '-f', '%v{hex}', '-n', '1']);
      expect(raw.out).toBe('81a1619201c0');
    }));

  it('says which record is no MessagePack: 3, after those before it', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.run('produce t --value-format msgpack', { stdin: ['1\n'] });
      await log.run('produce t', { stdin: ['\xc1text\n'] });
      const shown = await log.run('consume t --value-format msgpack');
      expect(shown).toMatchObject({ code: 3, out: '1\n' });
      expect(shown.err).toMatch(/^klog: A value is not MessagePack \(t:0, offset 1\)\./);
    }));

  it('chooses ranges by offset, distance and time, each half-open and for each partition', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 10));
      const out = async (options: string) => (await log.run(`consume t ${options}`)).out.replaceAll('\n', ' ');
      expect(await out('-o 7')).toBe('v7 v8 v9 ');
      expect(await out('-o 2:4')).toBe('v2 v3 ');
      expect(await out('-o :2')).toBe('v0 v1 ');
      expect(await out('-o -2')).toBe('v8 v9 ');
      expect(await out('-o +8')).toBe('v8 v9 ');
      expect(await out('-o end')).toBe('');
      expect(await out('-o 10')).toBe('');
      expect(await out('-o @1700000003')).toBe('v3 v4 v5 v6 v7 v8 v9 ');
      expect(await out('-o @1700000003000:1700000005000')).toBe('v3 v4 ');
      expect(await out('--from 3 --to 5')).toBe('v3 v4 ');
      expect(await out('--from @1700000008 --to end')).toBe('v8 v9 ');
      expect(await out('-o 0=4:6')).toBe('v4 v5 ');
      expect(await out('-n 3 -o 5')).toBe('v5 v6 v7 ');
      expect(await out('-n 0')).toBe('');
    }));

  it('clamps distances beyond the log, and refuses an offset outside of it', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 3));
      expect((await log.run('consume t -o -99')).out).toBe('v0\nv1\nv2\n');
      expect((await log.run('consume t -o +99')).out).toBe('');
      const outside = await log.run('consume t -o 4');
      expect(outside.code).toBe(4);
      expect(outside.err).toMatch(/^klog: .*offset 4.*\n$/);
      expect((await log.run('consume t -o @1800000000')).code).toBe(0);
    }));

  it('prints nothing, without an error, from an offset that is appended and not durable yet', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 3));
      const place = { topic: 't', partition: 0, config: DEFAULT_LOG_CONFIG, clock: { now: () => 1 } };
      const writer = await PartitionLog.open(nodeFileSystem, `${log.directory}/log/t-0`, place);
      await writer.append([buildBatch(['x']), buildBatch(['y'])]);
      const control = await ControlFile.open(nodeFileSystem, `${log.directory}/log/t-0`, 'write');
      await new PartitionLocks(control.file, 1000).sync.acquire();
      for (const offset of [3, 4, 5]) {
        expect(await log.run(`consume t -o ${offset}`)).toMatchObject({ code: 0, out: '', err: '' });
      }
      expect((await log.run('consume t -o 6')).code).toBe(4);
      expect((await log.run('get t@4')).code).toBe(4);
      await control.close();
      await writer.close();
      expect((await log.run('consume t -o 4')).out).toBe('y\n');
    }));

  it('prints keys, separators, delimiters and nulls as told', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce([
        { topic: 't', key: 'a', value: '1' },
        { topic: 't', key: null, value: null },
      ]);
      expect((await log.run(['consume', 't', '-K', '\\t', '-Z'])).out).toBe('a\t1\nNULL\tNULL\n');
      expect((await log.run(['consume', 't', '-D', '--'])).out).toBe('1----');
      expect((await log.run('consume t -0')).out).toBe('1\0\0');
      expect((await log.run(['consume', 't', '-f', '%p/%o %k=%v;'])).out).toBe('0/0 a=1;0/1 =;');
      expect((await log.run(['consume', 't', '-f', '%v', '-D', 'x'])).code).toBe(2);
      expect((await log.run(['consume', 't', '-f', '%q'])).code).toBe(2);
      expect((await log.run(['consume', 't', '-f', ''])).code).toBe(2);
      expect((await log.run(['consume', 't', '--dump', ''])).code).toBe(2);
    }));

  it('prints JSON records with -J and with --json alike', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce([
        { topic: 't', key: Buffer.from([0xff]), value: 'x', timestamp: 5, headers: [{ key: 'h', value: null }] },
      ]);
      const line =
        '{"topic":"t","partition":0,"offset":0,"timestamp":5,"timestampType":"create","keyBase64":"/w==","value":"x","headers":[{"key":"h","value":null}]}\n';
      expect((await log.run('consume t -J')).out).toBe(line);
      expect((await log.run('consume t --json')).out).toBe(line);
      expect((await log.run('consume t -J --headers-only')).out).not.toContain('"value":"x"');
      expect((await log.run('consume t --headers-only')).out).toBe('h=NULL\n');
      for (const values of ['-K :', '-D ;', '-0', '-f %v', '-f csv']) {
        expect(await log.run(`consume t --headers-only ${values}`)).toMatchObject({ code: 2, out: '' });
      }
    }));

  it.each([
    ['--encoding base64', /--encoding means nothing without -J/],
    ['-f %v --encoding base64', /--encoding means nothing without -J/],
    ['--property print.key=true', /--property means nothing without -f kafka/],
  ])('refuses what would do nothing: %s', (options, message) =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce([{ topic: 't', value: 'x' }]);
      expect(await log.run(`consume t ${options}`)).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringMatching(message),
      });
      expect((await log.run('consume t -f jsonl --encoding base64')).out).toContain('"valueBase64":"eA=="');
    }),
  );

  it('keeps only what a pattern or an expression wants', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 12));
      expect((await log.run('consume t -G v1')).out).toBe('v1\nv10\nv11\n');
      expect((await log.run('consume t -G k:k3')).out).toBe('v3\n');
      expect((await log.run(['consume', 't', '--filter', 'm.offset > 9'])).out).toBe('v10\nv11\n');
      expect((await log.run(['consume', 't', '--filter', 'm.offset >'])).code).toBe(2);
      expect((await log.run(['consume', 't', '-G', '!v1', '-n', '2'])).out).toBe('v0\nv2\n');
    }));

  it('takes several topics, patterns anchored to whole names', () =>
    withLog(async (log) => {
      await log.produce([...numbered('a1', 1), ...numbered('a2', 2), ...numbered('b', 1)]);
      expect((await log.run('consume b a1')).out).toBe('v0\nv0\n');
      expect((await log.run(['consume', '-r', 'a.', '-f', '%t '])).out).toBe('a1 a2 a2 ');
      const none = await log.run(['consume', '-r', 'a']);
      expect(none).toMatchObject({ code: 0, out: '' });
      expect(none.err).toContain("no topic matches 'a'");
    }));

  it('ends with 5 when fewer came in time than were asked for, and with 0 when nobody asked', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 2));
      expect(await log.run('consume t -n 3 --timeout 30ms')).toMatchObject({ code: 5, out: 'v0\nv1\n' });
      expect(await log.run('consume t -n 2 --timeout 5s')).toMatchObject({ code: 0 });
      expect(await log.run('consume t --timeout 30ms')).toMatchObject({ code: 0, out: 'v0\nv1\n' });
    }));

  it("understands other tools' names for the topic and for how many", () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 5));
      expect((await log.run('consume -t t -c 2')).out).toBe('v0\nv1\n');
      expect((await log.run('consume --topic t --from-beginning --max-messages 1')).out).toBe('v0\n');
      expect((await log.run('consume t --tail 2')).out).toBe('v3\nv4\n');
      expect((await log.run('consume t -l 1')).out).toBe('v0\n');
      expect((await log.run('tail --topic t -n 1')).out).toBe('v4\n');
      expect((await log.run('consume t --tail x')).code).toBe(2);
      for (const line of ['consume t -o 0=1 -p 1', 'consume t:1 -o 0=1']) {
        expect(await log.run(line)).toMatchObject({ code: 2, err: expect.stringContaining('none of the partitions') });
      }
      for (const line of ['consume t -t t', 'consume', 'tail']) expect((await log.run(line)).code).toBe(2);
      expect((await log.run('consume')).err).toBe("klog: consume: no topic is named. See 'klog consume --help'.\n");
      expect((await log.run('consume --help')).out).toContain('Usage: klog consume [options] <topic...>\n');
    }));

  it('gets no record at the last offset there can be', () =>
    withLog(async (log) => {
      await log.produce(numbered('t', 1));
      for (const offset of [2, 2 ** 53 - 2, 2 ** 53 - 1]) {
        const { code, err } = await log.run(`get t@${offset}`);
        expect({ code, err }).toEqual({
          code: 4,
          err: expect.stringContaining(`offset ${offset} of t:0 is out of range`),
        });
      }
    }));

  it('names what is not there, with the nearest name', () =>
    withLog(async (log) => {
      await log.createTopic('orders');
      const wrong = await log.run('consume order');
      expect(wrong.code).toBe(4);
      expect(wrong.err).toMatch(/order.*Did you mean '?orders'?\?/);
      expect((await log.run('consume orders -p 3')).code).toBe(4);
      expect((await log.run('consume ../etc')).code).toBe(2);
      expect((await log.run('consume orders@3')).code).toBe(2);
      expect((await log.run('consume orders --reverse -F')).code).toBe(2);
      expect((await log.run('consume orders -o 3 --from 2')).code).toBe(2);
      expect((await log.run('consume orders --timeout 5')).code).toBe(2);
    }));

  it('writes each value to a file of its own with --dump', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 2));
      const target = `${log.directory}/../dump`;
      const { out } = await log.run(['consume', 't', '--dump', target]);
      expect(out.trim().split('\n')).toHaveLength(2);
      const { readFileSync } = await import('node:fs');
      expect(readFileSync(`${target}/t-0-1`, 'utf8')).toBe('v1');
    }));

  it('ends quietly when the reader has gone, and with 1 when the output fails', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(numbered('t', 3));
      expect(await log.run('consume t', { writeError: { at: 1, code: 'EPIPE' } })).toMatchObject({ code: 0, err: '' });
      expect(await log.run('consume t', { writeError: { at: 1, code: 'ENOSPC' } })).toMatchObject({ code: 1 });
    }));

  it('escapes what would steer a terminal, unless --raw', () =>
    withLog(async (log) => {
      await log.createTopic('t');
      await log.produce([{ topic: 't', value: 'a\u001b[2J\tb' }]);
      expect((await log.run('consume t', { terminal: true })).out).toBe('a\\x1b[2J\tb\n');
      expect((await log.run('consume t --raw', { terminal: true })).out).toBe('a\u001b[2J\tb\n');
    }));
});

describe('klog tail', () => {
  it('prints the last records over all partitions by time', () =>
    withLog(async (log) => {
      await log.createTopic('t', 3);
      await log.produce(numbered('t', 25, 3));
      expect((await log.run('tail t')).out).toBe(
        [15, 16, 17, 18, 19, 20, 21, 22, 23, 24].map((i) => `v${i}\n`).join(''),
      );
      expect((await log.run('tail -n 2 t')).out).toBe('v23\nv24\n');
      expect((await log.run('tail -n 0 t')).out).toBe('');
      expect((await log.run('tail -n 2 -G v1 t')).out).toBe('v18\nv19\n');
    }));
});

describe('klog get', () => {
  it('prints one record, or says with 4 that there is none', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      await log.createTopic('one');
      await log.produce([...numbered('t', 4, 2), ...numbered('one', 3)]);
      expect((await log.run('get t:1@0')).out).toBe('v1\n');
      expect((await log.run('get t[1]@1')).out).toBe('v3\n');
      expect((await log.run('get one@-1')).out).toBe('v2\n');
      expect((await log.run('get one@1 -J')).out).toContain('"offset":1');
      expect((await log.run('get one@3')).code).toBe(4);
      expect((await log.run('get one@99')).code).toBe(4);
      expect((await log.run('get t@0')).code).toBe(2);
      expect((await log.run('get t')).code).toBe(2);
      expect((await log.run('get t:7@0')).code).toBe(4);
    }));
});
