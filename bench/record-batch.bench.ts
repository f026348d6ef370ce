/**
 * Encoding and decoding of record batches, without any file. Run: npx tsx bench/record-batch.bench.ts
 * Best of the rounds: what the code costs when nothing else runs.
 */
import { crc32c, crc32cInJavaScript } from '../src/format/crc32c.js';
import { RecordBatch } from '../src/format/record-batch.js';
import { RecordBatchBuilder } from '../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../src/format/record-cursor.js';

const ROUNDS = 12;
const TIMESTAMP = 1_700_000_000_000;
const MIB = 1024 * 1024;

function best(run: () => number): number {
  let fastest = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    const units = run();
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    fastest = Math.max(fastest, units / seconds);
  }
  return fastest;
}

function report(what: string, perSecond: number, bytesEach: number): void {
  const nanoseconds = (1e9 / perSecond).toFixed(1);
  const mibPerSecond = ((perSecond * bytesEach) / MIB).toFixed(0);
  console.log(
    `${what.padEnd(58)} ${(perSecond / 1e6).toFixed(1).padStart(6)} M/s ${nanoseconds.padStart(8)} ns ${mibPerSecond.padStart(7)} MiB/s`,
  );
}

/** Lines as a reader of stdin has them: many in one chunk, one byte between them. */
function lines(recordBytes: number): { chunk: Buffer; count: number } {
  const count = Math.max(64, Math.floor((256 * 1024) / (recordBytes + 1)));
  return { chunk: Buffer.alloc(count * (recordBytes + 1), 'abcdefghij'), count };
}

/** One chunk's lines, a batch built whenever it is full. */
function encode(builder: RecordBatchBuilder, recordBytes: number, seal: boolean): () => number {
  const { chunk, count } = lines(recordBytes);
  const passes = Math.ceil(1_000_000 / count);
  return () => {
    builder.reset();
    for (let pass = 0; pass < passes; pass++) {
      let start = 0;
      for (let i = 0; i < count; i++) {
        if (!builder.hasRoomFor(recordBytes)) {
          if (seal) builder.build();
          builder.reset();
        }
        builder.appendValue(chunk, start, start + recordBytes, TIMESTAMP + pass);
        start += recordBytes + 1;
      }
    }
    return passes * count;
  };
}

/** Keys and values from one chunk, timestamps that run away from the first one. */
function encodeKeyed(builder: RecordBatchBuilder, recordBytes: number): () => number {
  const { chunk, count } = lines(recordBytes);
  return () => {
    for (let pass = 0; pass < 200; pass++) {
      builder.reset();
      for (let i = 0, start = 0; i < count; i++, start += recordBytes + 1) {
        const keyEnd = start + 10;
        builder.append(chunk, start, keyEnd, chunk, keyEnd, start + recordBytes, TIMESTAMP + i * 100, null);
      }
    }
    return 200 * count;
  };
}

function fullBatch(recordBytes: number, keyed: boolean): Buffer {
  const builder = new RecordBatchBuilder();
  const value = Buffer.alloc(recordBytes, 'v');
  const key = Buffer.from('key-000000');
  for (let i = 0; builder.hasRoomFor(recordBytes + key.length + 20); i++) {
    if (keyed) {
      const headers = [{ key: 'trace', value: Buffer.from('0123456789') }];
      builder.append(key, 0, key.length, value, 0, value.length, TIMESTAMP + (i % 1000), headers);
    } else builder.appendValue(value, 0, value.length, TIMESTAMP + (i % 50));
  }
  return Buffer.from(builder.build());
}

function decode(batch: Buffer, check: boolean): () => number {
  const cursor = new RecordCursor();
  const view = new RecordBatch();
  const count = view.reset(batch, 0).recordCount;
  const passes = Math.ceil(1_000_000 / count);
  return () => {
    let bytes = 0;
    for (let pass = 0; pass < passes; pass++) {
      if (check && !view.reset(batch, 0).isValid()) throw new Error('the batch is damaged');
      openCursor(cursor, batch, 0);
      while (cursor.next()) bytes += cursor.valueEnd - cursor.valueStart + cursor.offset * 0;
    }
    if (bytes === 0) throw new Error('nothing was decoded');
    return passes * count;
  };
}

console.log(`node ${process.version}, ${process.arch}, ${new Date().toISOString()}`);
const shared = new RecordBatchBuilder();
for (const recordBytes of [16, 104, 300, 1000]) {
  report(`encode recordBytes=${recordBytes} batch=1MiB`, best(encode(shared, recordBytes, false)), recordBytes);
}
report('encode and seal recordBytes=104 batch=1MiB', best(encode(shared, 104, true)), 104);
report('encode key and value recordBytes=104 batch=256KiB', best(encodeKeyed(shared, 104)), 104);
for (const recordBytes of [16, 104, 1000]) {
  report(
    `decode recordBytes=${recordBytes} batch=1MiB`,
    best(decode(fullBatch(recordBytes, false), false)),
    recordBytes,
  );
}
report('decode with CRC recordBytes=104 batch=1MiB', best(decode(fullBatch(104, false), true)), 104);
report('decode key, value, header recordBytes=104 batch=1MiB', best(decode(fullBatch(104, true), false)), 104);
{
  const cursor = new RecordCursor();
  const batch = fullBatch(104, true);
  const run = () => {
    let count = 0;
    for (let pass = 0; pass < 10; pass++) {
      openCursor(cursor, batch, 0);
      for (; cursor.next(); count++) cursor.toRecord();
    }
    return count;
  };
  report('decode to objects, key, value, header recordBytes=104', best(run), 104);
}
for (const length of [64, 128, 192, 256, 1024, MIB]) {
  const bytes = Buffer.alloc(length, 'x');
  const passes = Math.max(20, Math.floor(2_000_000 / length));
  const run = (sum: typeof crc32c) => () => {
    for (let i = 0; i < passes; i++) sum(bytes, 0, length);
    return passes;
  };
  report(`crc32c bytes=${length}`, best(run(crc32c)), length);
  report(`crc32c bytes=${length} in JavaScript`, best(run(crc32cInJavaScript)), length);
}
