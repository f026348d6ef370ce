/**
 * Printing and reading of records, without any file. Run: npx tsx bench/record-format.bench.ts
 * Best of the rounds: what the code costs when nothing else runs.
 */
import { createRecordPrinter, type PrinterOptions } from '../src/cli/record-format/create-printer.js';
import type { FormatContext } from '../src/cli/record-format/format-context.js';
import { createFormatReader } from '../src/cli/record-format/format-language/format-reader.js';
import type { RecordReader } from '../src/cli/record-format/input-record.js';
import { createJsonReader } from '../src/cli/record-format/json-record-input.js';
import { OutputBuffer } from '../src/cli/record-format/output-buffer.js';
import { RecordBatchBuilder } from '../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../src/format/record-cursor.js';

const ROUNDS = 12;
const TIMESTAMP = 1_700_000_000_000;
const CHUNK_BYTES = 64 * 1024;

const CONTEXT: FormatContext = {
  topic: 'orders',
  partition: 0,
  leaderEpoch: 0,
  compression: 'none',
  producerId: -1,
  producerEpoch: -1,
  isTransactional: false,
  isControl: false,
  logStartOffset: 0,
  lastStableOffset: 0,
  highWatermark: 0,
  recordNumber: 0,
};

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

function report(what: string, perSecond: number): void {
  const nanoseconds = (1e9 / perSecond).toFixed(1);
  const fiveMillions = (5e6 / perSecond).toFixed(2);
  console.log(
    `${what.padEnd(58)} ${(perSecond / 1e6).toFixed(1).padStart(6)} M/s ${nanoseconds.padStart(8)} ns ${fiveMillions.padStart(7)} s for 5 M`,
  );
}

const TEXT = 'The quick brown fox jumps over the lazy dog and goes on to where the river bends. ';
const JSON_TEXT = '{"id":12345,"name":"some name","amount":17.25,"tags":["a","b"],"ok":true},';

/** One batch of a megabyte of records with 10-byte keys. */
function batchOf(recordBytes: number, content: string): Buffer {
  const builder = new RecordBatchBuilder({ initialBytes: 1 << 20 });
  const value = Buffer.alloc(recordBytes, content);
  const key = Buffer.from('user-12345');
  for (let i = 0; builder.sizeInBytes < 1_000_000; i++) {
    builder.append(key, 0, key.length, value, 0, value.length, TIMESTAMP + i, null);
  }
  return Buffer.from(builder.build({ baseOffset: 1_000_000 }));
}

function decodeOnly(batch: Buffer): () => number {
  const cursor = new RecordCursor();
  return () => {
    let records = 0;
    for (let pass = 0; pass < 20; pass++) {
      openCursor(cursor, batch, 0);
      while (cursor.next()) records++;
    }
    return records;
  };
}

/** As consume does it: fill the buffer, hand it over, clear it. */
function print(batch: Buffer, options: Partial<PrinterOptions>): () => number {
  const cursor = new RecordCursor();
  const out = new OutputBuffer(256 * 1024);
  const printer = createRecordPrinter({ now: Date.now, ...options });
  return () => {
    let records = 0;
    for (let pass = 0; pass < 20; pass++) {
      openCursor(cursor, batch, 0);
      for (;;) {
        const printed = printer.printBatch(cursor, CONTEXT, out, Number.POSITIVE_INFINITY, 128 * 1024);
        const full = out.length >= 128 * 1024;
        records += printed;
        out.clear();
        if (!full) break;
      }
    }
    return records;
  };
}

function read(input: Buffer, reader: () => RecordReader): () => number {
  return () => {
    let records = 0;
    const source = reader();
    for (let from = 0; from < input.length; from += CHUNK_BYTES) {
      source.push(input.subarray(from, from + CHUNK_BYTES));
      while (source.next() !== undefined) records++;
    }
    return records;
  };
}

function printedAs(batch: Buffer, format: string): Buffer {
  const out = new OutputBuffer();
  const cursor = openCursor(new RecordCursor(), batch, 0);
  createRecordPrinter({ now: Date.now, format }).printBatch(cursor, CONTEXT, out, Number.POSITIVE_INFINITY, 1 << 30);
  return Buffer.from(out.view());
}

for (const [name, content] of [
  ['text', TEXT],
  ['json', JSON_TEXT],
] as const) {
  for (const recordBytes of [10, 100, 1000]) {
    const batch = batchOf(recordBytes, content);
    const size = `value=${name} recordBytes=${recordBytes}`;
    report(`${size} decode only`, best(decodeOnly(batch)));
    report(`${size} value and newline`, best(print(batch, {})));
    report(`${size} -K`, best(print(batch, { keySeparator: Buffer.from('\t') })));
    report(`${size} -f '%k %v\\n'`, best(print(batch, { format: '%k %v\\n' })));
    report(`${size} -J`, best(print(batch, { format: 'json' })));
    report(`${size} -f csv`, best(print(batch, { format: 'csv' })));
    report(`${size} to a terminal`, best(print(batch, { forTerminal: true })));
    report(`${size} -f '%k %v\\n' in`, best(read(printedAs(batch, '%k %v\\n'), () => createFormatReader('%k %v\\n'))));
    report(`${size} -J in`, best(read(printedAs(batch, 'json'), createJsonReader)));
  }
}
