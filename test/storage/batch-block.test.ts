import { expect, it } from 'vitest';
import { RecordBatch } from '../../src/format/record-batch.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { readBlock } from '../../src/storage/batch-block.js';
import type { OpenFile } from '../../src/storage/file-system.js';

function logOf(batches: number, valueBytes: number): Buffer {
  const all: Buffer[] = [];
  for (let offset = 0; offset < batches; offset++) {
    const builder = new RecordBatchBuilder();
    builder.appendValue(Buffer.alloc(valueBytes, offset), 0, valueBytes, 1);
    const bytes = Buffer.from(builder.build());
    new RecordBatch().reset(bytes, 0).setBaseOffset(offset);
    all.push(bytes);
  }
  return Buffer.concat(all);
}

function fileOf(bytes: Buffer): OpenFile {
  const read = (into: Uint8Array, start: number, length: number, position: number) =>
    bytes.copy(into, start, position, Math.min(bytes.length, position + length));
  return { path: 'x.log', read } as unknown as OpenFile;
}

it('blocks of several logs are read at the same time, each as if alone', async () => {
  const logs = [logOf(9, 10), logOf(3, 700), logOf(20, 50)];
  const read = (log: Buffer) => {
    const place = { position: 0, limit: log.length, minOffset: 0, maxOffset: Number.MAX_SAFE_INTEGER };
    return readBlock(fileOf(log), place, log.length);
  };
  const alone = [];
  for (const log of logs) alone.push(await read(log));
  expect(alone.map(({ end, nextOffset }) => [end, nextOffset])).toEqual(
    logs.map((log, i) => [log.length, [9, 3, 20][i]]),
  );
  expect(await Promise.all(logs.map(read))).toEqual(alone);
});
