import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CorruptRange, openClient } from '../../src/index.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describe('skipCorrupt', () => {
  it('goes on with the same offset where its batch stands whole behind a damaged copy of it', async () => {
    const directory = temporaryDirectory();
    await using client = await openClient({ directory, create: true });
    await client.admin().createTopic({ topic: 't', configs: { 'segment.bytes': '300' } });
    await using producer = client.producer();
    for (let i = 0; i < 8; i++) await producer.sendAll([{ topic: 't', value: `value ${i}` }]);

    // A closed segment: what stands there counts up to its size.
    const partition = join(directory, 'log', 't-0');
    const first = join(partition, (await readdir(partition)).filter((name) => name.endsWith('.log')).sort()[0]!);
    const bytes = await readFile(first);
    const size = 12 + bytes.readInt32BE(8);
    const damaged = Buffer.from(bytes.subarray(0, size));
    damaged[damaged.length - 1]! ^= 1;
    await writeFile(first, Buffer.concat([damaged, bytes]));

    await using reader = await openClient({ directory });
    const found: string[] = [];
    const ranges: CorruptRange[] = [];
    const options = { topics: ['t'], skipCorrupt: true, onCorrupt: (range: CorruptRange) => ranges.push(range) };
    for await (const { value } of reader.consumer(options)) found.push(String(value));
    expect(found).toEqual(Array.from({ length: 8 }, (_, i) => `value ${i}`));
    expect(ranges).toMatchObject([{ offset: 0, position: 0, length: size }]);
  });
});
