import { describe, expect, it } from 'vitest';
import { DelimitedLines } from '../../../src/cli/produce/delimited-lines.js';
import { PlainLines } from '../../../src/cli/produce/line-sinks.js';
import { produceLines } from '../../../src/cli/produce/produce-lines.js';
import { produceRecords } from '../../../src/cli/produce/produce-records.js';
import type { RecordTarget } from '../../../src/cli/produce/record-target.js';
import type { TopicTargets } from '../../../src/cli/produce/topic-targets.js';
import { createRecordReader } from '../../../src/cli/record-format/create-reader.js';

/** Takes a record at a time, and hears the signal while it waits for room behind the first one. */
function interruptedTarget() {
  const controller = new AbortController();
  const values: string[] = [];
  const take = (buffer: Uint8Array | null, start: number, end: number) => {
    values.push(Buffer.from(buffer!.subarray(start, end)).toString());
    return false;
  };
  const target: RecordTarget = {
    topic: 't',
    partitionCount: 1,
    lineAppender: () => undefined,
    appendValue: take,
    append: (_key, _keyStart, _keyEnd, value, start, end) => take(value, start, end),
    ready: async () => controller.abort(),
  };
  return { target, values, signal: controller.signal };
}

/** What a pipe hands out: a chunk, and behind a signal what was read ahead. */
async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function produced(format: string | undefined, isPaced: boolean, ...texts: string[]) {
  const { target, values, signal } = interruptedTarget();
  const shared = { chunks: chunksOf(...texts), file: undefined, isPaced, signal };
  if (format === undefined) {
    const sink = new PlainLines(target, undefined, Buffer.from('\n'));
    const lines = new DelimitedLines(Buffer.from('\n'), sink);
    const run = { ...shared, lines, sink, setTime: () => sink.setTime(0), maxLineBytes: async () => 1000 };
    return { leftOut: await produceLines(run), values };
  }
  const choice = await createRecordReader({ format, strict: false, kafkaProperties: {} });
  const leftOut = await produceRecords({
    ...shared,
    ...choice,
    targets: {} as TopicTargets,
    topic: target,
    topicFromInput: false,
    partitionFromInput: false,
    fields: {
      key: null,
      headers: [],
      partition: -1,
      timestamp: undefined,
      emptyIsNull: false,
      encodeValue: undefined,
    },
    skipped: undefined,
    now: () => 0,
  });
  return { leftOut, values };
}

const json = (...values: string[]) => values.map((value) => `${JSON.stringify({ value })}\n`).join('');

describe('produce at a signal takes what was read', () => {
  it.each([
    ['lines', undefined, ['a\nb\nc', 'd\ne\nf'], ['a', 'b', 'cd', 'e'], 1],
    ['JSON', 'json', [json('a', 'b'), `${json('c')}{"val`], ['a', 'b', 'c'], 5],
    ['a format', '%v\n', ['a\nb\nc', 'd\ne\nf'], ['a', 'b', 'cd', 'e'], 1],
    ['csv', 'csv', ['value\na\nb\nc', 'd\ne\nf'], ['a', 'b', 'cd', 'e'], 1],
  ])('%s, but for what may be cut', async (_, format, texts, values, leftOut) => {
    expect(await produced(format, false, ...texts)).toEqual({ values, leftOut });
  });

  it.each([
    ['lines', undefined, ['a\nb\nc', 'd\ne\nf'], 8],
    ['JSON', 'json', [json('a', 'b'), `${json('c')}{"val`], json('b', 'c').length + 5],
  ])('%s, but for those whose time has not come', async (_, format, texts, leftOut) => {
    expect(await produced(format, true, ...texts)).toEqual({ values: ['a'], leftOut });
  });
});
