import { describe, expect, it } from 'vitest';
import { type FakeOptions, run as runLine } from '../support/fake-context.js';
import { MemoryClient } from '../support/memory-client.js';

const run = (line: string | string[], options: FakeOptions = {}) =>
  runLine(['-d', '/', ...(typeof line === 'string' ? line.split(' ') : line)], options);

/** Every partition holds the offsets 10 to 20; only partition 0 has records at times, one a second up to 10 s. */
const client = () =>
  new MemoryClient()
    .add('orders', 2)
    .add('users', 2, { 'cleanup.policy': 'compact' })
    .add('one')
    .add('__consumer_offsets');

describe('topic trim', () => {
  it.each([
    ['-o 15', [15, 15]],
    ['-o -3', [17, 17]],
    ['-o end', [20, 20]],
    ['-o 5', [5, 5]],
    ['-o @5000000', [20, 20]],
    ['--keep 4', [16, 16]],
    ['--keep 0', [20, 20]],
    ['--before 1970-01-01T00:00:05Z', [15, 20]],
    ['--before -5s', [15, 20]],
  ])('%s', async (flags, offsets) => {
    const memory = client();
    const { code } = await run(`topic trim orders ${flags} -y`, { client: memory, now: 10_000 });
    expect(code).toBe(0);
    expect(memory.upkeep).toEqual([
      { deleteRecords: 'orders', offsets: offsets.map((beforeOffset, partition) => ({ partition, beforeOffset })) },
    ]);
  });

  it('says what would go, where, and needs -y where nobody can be asked', async () => {
    const memory = client();
    const refused = await run('topic trim orders -o 15', { client: memory });
    expect(refused.code).toBe(2);
    expect(refused.err).toBe(
      'klog: will not delete offsets 10 to 14 of orders:0, offsets 10 to 14 of orders:1 in / without being told to. Confirm it with -y.\n',
    );
    const asked = await run('topic trim orders -o 15 -p 1', { client: memory, terminal: true, answer: false });
    expect(asked.code).toBe(2);
    expect(asked.context.questions).toEqual(['Delete offsets 10 to 14 of orders:1 in /?']);
    expect(memory.upkeep).toEqual([]);
    const done = await run('topic trim orders -o 15 -p 1', { client: memory, terminal: true, answer: true });
    expect(done).toMatchObject({ code: 0, err: 'deleted offsets 10 to 14 of orders:1 (0 segments, 0 B) in /\n' });
  });

  it('neither asks nor fails when there is nothing to delete', async () => {
    const { code, err } = await run('topic trim orders -o 10', { client: client() });
    expect({ code, err }).toEqual({ code: 0, err: "nothing to delete in topic 'orders' in /\n" });
  });

  it('changes nothing with --dry-run', async () => {
    const memory = client();
    const { code, out } = await run('topic trim one --keep 1 --dry-run --json', { client: memory });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      { topic: 'one', partition: 0, lowWatermark: 19, offsets: 9, segments: 0, sizeInBytes: 0, trimmed: false },
    ]);
    expect(memory.upkeep).toEqual([]);
  });

  it('checks every topic before it deletes anything', async () => {
    const memory = client();
    expect((await run('topic trim one orders -o 99 -y', { client: memory })).code).toBe(4);
    expect((await run('topic trim one nothere -o 15 -y', { client: memory })).code).toBe(4);
    expect(memory.upkeep).toEqual([]);
  });

  it.each([
    'topic trim orders',
    'topic trim orders -o 1 --keep 2',
    'topic trim orders --before 1d --keep 2',
    'topic trim orders -o x',
    'topic trim orders --keep -1',
    'topic trim __consumer_offsets -o 15 -y',
  ])('%s is a usage error', async (line) => {
    const memory = client();
    expect((await run(line, { client: memory })).code).toBe(2);
    expect(memory.upkeep).toEqual([]);
  });

  it("answers to rpk's and Kafka's names, and trims internal topics with --force", async () => {
    const memory = client();
    await run('topic trim-prefix one -o 15 --no-confirm', { client: memory });
    await run('topic delete-records one -o 16 -y', { client: memory });
    await run('topic trim __consumer_offsets -o 17 -y --force', { client: memory });
    expect(memory.upkeep).toHaveLength(3);
    expect((await run('topic --help')).out).not.toContain('trim-prefix');
  });
});

describe('topic compact', () => {
  it('says what became of each partition', async () => {
    const memory = client();
    const { code, err } = await run('topic compact users', { client: memory });
    expect(code).toBe(0);
    expect(err).toBe(
      'compacted users:0 from 10 to 4 records, 2 to 1 segment, 1000 B to 500 B in /\nusers:1 was not compacted: there is nothing to do in /\n',
    );
    expect(memory.upkeep).toEqual([{ compactTopic: 'users' }]);
  });

  it('refuses a topic that is not compacted, with --dry-run as well', async () => {
    const memory = client();
    expect((await run('topic compact orders', { client: memory })).code).toBe(2);
    const dry = await run('topic compact orders --dry-run', { client: memory });
    expect(dry.code).toBe(2);
    expect((await run('topic compact nothere', { client: memory })).code).toBe(4);
  });

  it('says of each partition what would become of it with --dry-run, and changes nothing', async () => {
    const memory = client();
    const { code, out, err } = await run('topic compact users --dry-run --json', { client: memory });
    expect(code).toBe(0);
    const [first, second] = JSON.parse(out);
    expect(first).toMatchObject({ partition: 0, recordsBefore: 10, recordsAfter: 4, sizeAfter: 500, compacted: false });
    expect(second).toMatchObject({ partition: 1, skipped: 'nothing to do', compacted: false });
    expect(err).toBe(
      'would compact users:0 from 10 to 4 records, 2 to 1 segment, 1000 B to 500 B in /\nusers:1 would not be compacted: there is nothing to do in /\n',
    );
    const one = await run('topic compact users -p 0 --json', { client: memory });
    expect(JSON.parse(one.out)).toMatchObject([{ partition: 0, compacted: true }]);
    expect(memory.upkeep).toEqual([{ compactTopic: 'users' }]);
  });
});

describe('erase', () => {
  it('erases records by their place', async () => {
    const memory = client();
    const { code, err } = await run('erase orders:1@12 one@13 -y', { client: memory });
    expect(code).toBe(0);
    expect(err).toBe('erased 1 record: orders:1@12 in /\nerased 1 record: one@13 in /\n');
    expect(memory.upkeep).toEqual([
      { eraseRecords: 'orders', selection: { partition: 1, offset: 12 } },
      { eraseRecords: 'one', selection: { partition: 0, offset: 13 } },
    ]);
  });

  it('erases every record with a key, in all partitions or one', async () => {
    const memory = client();
    await run('erase orders --key k1 --key-base64 a/8= -y', { client: memory });
    await run('erase orders:0 --key k1 -y', { client: memory });
    expect(memory.upkeep).toEqual([
      { eraseRecords: 'orders', selection: { key: Buffer.from('k1') } },
      { eraseRecords: 'orders', selection: { key: Buffer.from([0x6b, 0xff]) } },
      { eraseRecords: 'orders', selection: { key: Buffer.from('k1'), partition: 0 } },
    ]);
  });

  it('looks first, names what it found, and asks', async () => {
    const memory = client();
    const refused = await run('erase orders --key k1', { client: memory });
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("will not erase key 'k1' of orders (1 record) in / without being told to");
    const { context } = await run('erase one@12', { client: memory, terminal: true, answer: false });
    expect(context.questions).toEqual(['Erase one@12 (1 record) in /?']);
    expect(memory.upkeep).toEqual([]);
  });

  it('ends with 4 where there is none, and with 1 where there is one of two', async () => {
    const memory = client();
    const none = await run('erase orders --key nobody -y', { client: memory });
    expect(none).toMatchObject({ code: 4, err: "klog: there is no record with key 'nobody' of orders\n" });
    expect((await run('erase one@20 one@21 -y', { client: memory })).code).toBe(4);
    expect(memory.upkeep).toEqual([]);
    expect((await run('erase one@12 one@20 -y', { client: memory })).code).toBe(1);
    expect(memory.upkeep).toHaveLength(1);
  });

  it('counts with --dry-run and changes nothing', async () => {
    const memory = client();
    const { code, out } = await run('erase one --key k --dry-run --json', { client: memory });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      { topic: 'one', partition: 0, records: 1, segments: 1, cutFiles: 0, keyBase64: 'aw==', erased: false },
    ]);
    expect(memory.upkeep).toEqual([]);
  });

  it.each([
    'erase orders',
    'erase orders:0',
    'erase orders@12 -y',
    'erase orders:0@start -y',
    'erase orders:0@12 --key k',
    'erase one --key-base64 a*b',
    'erase __consumer_offsets@12 -y',
    'erase',
  ])('%s is a usage error', async (line) => {
    const memory = client();
    expect((await run(line, { client: memory })).code).toBe(2);
    expect(memory.upkeep).toEqual([]);
  });
});
