/** What only a real directory shows: files that are damaged, other processes, topics that go away. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, open, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, type ConsumerOptions, type CorruptRange, openClient } from '../../src/index.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const root = resolve(import.meta.dirname, '../..');

describe('a client on a directory', () => {
  let directory: string;
  let client: Client;
  beforeEach(async () => {
    directory = join(temporaryDirectory(), '.klog');
    client = await openClient({ directory, create: true });
    await client.admin().createTopic({ topic: 't' });
  });
  afterEach(async () => {
    await client.close().catch(() => {});
  });

  async function values(options: Partial<ConsumerOptions> = {}, from = client): Promise<string[]> {
    const found: string[] = [];
    for await (const { value } of from.consumer({ topics: ['t'], ...options })) found.push(String(value));
    return found;
  }

  async function produceEach(...texts: string[]): Promise<void> {
    await using producer = client.producer();
    for (const value of texts) await producer.sendAll([{ topic: 't', value }]);
  }

  /** Turns over one bit of the first segment of t-0. */
  async function flip(position: number): Promise<void> {
    const file = await open(join(directory, 'log', 't-0', `${'0'.repeat(20)}.log`), 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte[0]! ^= 1;
    await file.write(byte, 0, 1, position);
    await file.close();
  }

  it('stops at damage, names file, position and offset, and goes on behind it when told to', async () => {
    await produceEach('aaaaaaaa', 'bbbbbbbb', 'cccccccc');
    const { sizeInBytes } = (await client.admin().describeTopic('t')).partitionDetails[0]!;
    const size = sizeInBytes / 3;
    await flip(size + 70);
    const seen: string[] = [];
    const reading = async () => {
      for await (const { value } of client.consumer({ topics: ['t'] })) seen.push(String(value));
    };
    await expect(reading()).rejects.toMatchObject({
      code: 'CORRUPT_MESSAGE',
      place: { topic: 't', partition: 0, offset: 1, position: size, file: expect.stringContaining('t-0') },
    });
    expect(seen).toEqual(['aaaaaaaa']);
    const damages: CorruptRange[] = [];
    const options = { skipCorrupt: true, onCorrupt: (damage: CorruptRange) => damages.push(damage) };
    expect(await values(options)).toEqual(['aaaaaaaa', 'cccccccc']);
    expect(damages).toMatchObject([{ topic: 't', partition: 0, offset: 1, position: size, length: size }]);
  });

  it('reads across segments, whose number and size admin tells', async () => {
    await client.admin().createTopic({ topic: 'small', configs: { 'segment.bytes': '16384' } });
    await using producer = client.producer({ batchBytes: 2000 });
    const texts = Array.from({ length: 1000 }, (_, i) => `${i}`.padStart(100, '.'));
    await producer.sendAll(texts.map((value) => ({ topic: 'small', value })));
    const { segments, sizeInBytes } = (await client.admin().describeTopic('small')).partitionDetails[0]!;
    expect(segments).toBeGreaterThan(5);
    expect(sizeInBytes).toBeGreaterThan(100_000);
    expect(await values({ topics: ['small'], maxFetchBytes: 5000 })).toEqual(texts);
    expect(await values({ topics: ['small'], from: 777, to: 779 })).toEqual(texts.slice(777, 779));
  });

  it('keeps what was acknowledged to a writer that is killed, without holes, beside another writer', async () => {
    const script = join(root, 'test/support/write-until-killed.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, directory, 't'], { cwd: root });
    let acknowledged = -1;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (acknowledged < 2000) await produceEach('mine');
      else if (!child.killed) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(acknowledged).toBeGreaterThanOrEqual(2000);
    await produceEach('after');
    const found = await values();
    expect(found.length).toBeGreaterThan(acknowledged + 1);
    const numbers = found.filter((value) => value.includes(' ')).map((value) => Number(value.split(' ')[1]));
    expect(numbers).toEqual(numbers.map((_, i) => i));
    expect(found.at(-1)).toBe('after');
    expect(found.filter((value) => value === 'mine').length).toBeGreaterThan(0);
  });

  it('sees records of another client', async () => {
    await using other = await openClient({ directory });
    const waiting = values({ follow: true, to: 1 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await using producer = other.producer();
    await producer.sendAll([{ topic: 't', value: 'x' }]);
    expect(await waiting).toEqual(['x']);
  });

  it('tells who follows or writes a topic that it was deleted', async () => {
    await produceEach('a');
    await using producer = client.producer();
    const writer = await producer.writer('t');
    const seen: string[] = [];
    const following = (async () => {
      for await (const { value } of client.consumer({ topics: ['t'], follow: true })) seen.push(String(value));
    })();
    const told = expect(following).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await using other = await openClient({ directory });
    await other.admin().deleteTopic('t');
    await told;
    expect(seen).toEqual(['a']);
    writer.appendValue(Buffer.from('x'), 0, 1, 1);
    await expect(writer.flush()).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await expect(producer.close()).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });

  it('gives records the time of the append where the topic says so', async () => {
    await client.admin().alterConfigs('t', { set: { 'message.timestamp.type': 'LogAppendTime' } });
    const before = Date.now();
    await using producer = client.producer();
    const [metadata] = await producer.sendAll([{ topic: 't', value: 'x', timestamp: 5 }]);
    expect(metadata!.timestamp).toBeGreaterThanOrEqual(before);
    for await (const record of client.consumer({ topics: ['t'] })) {
      expect(record).toMatchObject({ timestamp: metadata!.timestamp, timestampType: 'append' });
    }
  });

  it('reads, and writes nothing, when opened for reading only', async () => {
    await produceEach('a', 'b');
    await client.close();
    const list = async () => (await readdir(directory, { recursive: true })).sort();
    const before = await list();
    client = await openClient({ directory, readOnly: true });
    expect(await values()).toEqual(['a', 'b']);
    const code = 'KLOG_PERMISSION_DENIED';
    await expect(client.producer().send({ topic: 't', value: 'x' })).rejects.toMatchObject({ code });
    await expect(client.admin().createTopic({ topic: 'u' })).rejects.toMatchObject({ code });
    expect(await list()).toEqual(before);
  });

  it.skipIf(process.getuid?.() === 0)('says so when it may not write (root may always)', async () => {
    await chmod(join(directory, 'log', 't-0'), 0o500);
    await expect(client.producer().send({ topic: 't', value: 'x' })).rejects.toMatchObject({
      code: 'KLOG_PERMISSION_DENIED',
    });
    await chmod(join(directory, 'log', 't-0'), 0o700);
  });

  it('is not made unless told to, and says what is there instead', async () => {
    await expect(openClient({ directory: join(directory, 'missing') })).rejects.toMatchObject({
      code: 'KLOG_NOT_FOUND',
    });
    await expect(openClient({ directory: dirname(directory) })).rejects.toMatchObject({
      code: expect.stringMatching(/^KLOG_/),
    });
  });

  it('names the topic that was perhaps meant', async () => {
    await client.admin().createTopic({ topic: 'orders' });
    const found = await values({ topics: ['ordres'] }).catch((error: unknown) => error);
    expect(found).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', hint: expect.stringContaining('orders') });
    const sent = await client
      .producer()
      .send({ topic: 'ordres', value: 'x' })
      .catch((error: unknown) => error);
    expect(sent).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', hint: expect.stringContaining('orders') });
  });
});
