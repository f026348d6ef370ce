/** A dump in JSON, told in the words of the fixtures (test/format/kafka-fixtures.ts), and how it is made. */
import { describeBytes, type ExpectedLine } from '../../format/kafka-fixtures.js';
import { type FakeOptions, run } from '../support/fake-context.js';

export interface JsonLine {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Dump {
  readonly code: number;
  readonly err: string;
  readonly lines: readonly JsonLine[];
}

/** `klog log dump … --json`. */
export async function dumpJson(args: readonly string[], options: FakeOptions = {}): Promise<Dump> {
  const { code, out, err } = await run(['log', 'dump', ...args, '--json'], options);
  const lines = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonLine);
  return { code, err, lines };
}

const TIMESTAMP_TYPES: Readonly<Record<string, string>> = {
  create: 'CreateTime',
  append: 'LogAppendTime',
  none: 'NoTimestampType',
};

/** Batches and records as the fixtures write them; a batch has only the fields that `expected` has in its place. */
export function describeDump(lines: readonly JsonLine[], expected: readonly ExpectedLine[]): unknown[] {
  return lines
    .filter(({ type }) => type === 'batch' || type === 'record')
    .map((line, i) => {
      if (line.type === 'record') return describeRecord(line);
      const all = describeBatch(line);
      const wanted = Object.keys(expected[i] ?? {});
      return Object.fromEntries(wanted.map((name) => [name, all[name]]));
    });
}

function describeBatch(line: JsonLine): Record<string, unknown> {
  const text = (name: string) => (line[name] === null ? null : String(line[name]));
  return {
    ...line,
    sizeInBytes: line.size,
    baseOffset: text('baseOffset'),
    lastOffset: text('lastOffset'),
    crcOk: line.valid,
    compression: line.compresscodec,
    timestampType: TIMESTAMP_TYPES[line.timestampType as string],
    deleteHorizonMs: text('deleteHorizonMs'),
    maxTimestamp: text('maxTimestamp'),
    producerId: text('producerId'),
    recordCount: line.count,
  };
}

interface JsonHeader {
  readonly key: string;
}

function describeRecord(line: JsonLine): unknown {
  const { type, control, coordinatorEpoch } = line;
  return {
    type,
    offset: String(line.offset),
    timestamp: String(line.timestamp),
    sequence: line.sequence,
    key: bytesOf(line, 'key'),
    value: bytesOf(line, 'value'),
    headers: (line.headers as JsonHeader[]).map((header) => [header.key, bytesOf({ ...header }, 'value')]),
    ...(control === undefined ? {} : { control: { type: control, coordinatorEpoch } }),
  };
}

function bytesOf(line: Readonly<Record<string, unknown>>, name: string) {
  const base64 = line[`${name}Base64`];
  const text = line[name];
  if (typeof base64 === 'string') return describeBytes(Buffer.from(base64, 'base64'));
  return describeBytes(text === null ? null : Buffer.from(text as string));
}
