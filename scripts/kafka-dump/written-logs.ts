/** Topics of every kind, written by the built command, and what has happened to each of them. */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPRESSION_TYPES } from '../../src/format/compression.js';
import { seededRandom } from '../../test/support/chooser.js';
import { type PlannedRecord, randomRecords } from '../oracle/random-records.js';
import type { KlogCommand } from './klog-command.js';

const FOR_EVER = '9223372036854775807';
const SMALL = ['segment.bytes=20000', `segment.ms=${FOR_EVER}`, 'index.interval.bytes=600'];
const KILLS = [0, 30, 90];

/** What makes a topic; each must leave several segments. */
export const WRITERS: Readonly<
  Record<string, (klog: KlogCommand, topic: string, seed: number) => void | Promise<void>>
> = {
  ...Object.fromEntries(
    COMPRESSION_TYPES.map((compression) => [
      `codec-${compression}`,
      (klog: KlogCommand, topic: string, seed: number) => {
        create(klog, topic);
        klog.run(['produce', topic, '-J', '-z', compression, '--batch-bytes', '2048'], edgeRecords(600, seed));
      },
    ]),
  ),
  partitions(klog, topic) {
    create(klog, topic, ['-p', '3']);
    klog.run(['produce', topic, '-K', ':', '--batch-bytes', '1024'], keyedLines(0, 3000, 500));
  },
  'append-time'(klog, topic, seed) {
    create(klog, topic, ['-c', 'message.timestamp.type=LogAppendTime']);
    klog.run(['produce', topic, '-J', '-z', 'gzip', '--batch-bytes', '2048'], edgeRecords(400, seed));
    klog.run(['produce', topic, '-J', '--batch-bytes', '2048'], edgeRecords(200, seed + 1));
  },
  compacted(klog, topic) {
    create(klog, topic, ['-c', 'cleanup.policy=compact']);
    for (const compression of ['none', 'lz4', 'zstd']) {
      klog.run(['produce', topic, '-K', ':', '-z', compression, '--batch-bytes', '900'], keyedLines(0, 2000, 1500));
    }
    klog.run(['produce', topic, '-K', ':', '-Z'], Array.from({ length: 40 }, (_, key) => `key-${key * 3}:\n`).join(''));
    klog.run(['produce', topic, '-K', ':'], keyedLines(7000, 400, 400));
    klog.run(['topic', 'compact', topic]);
    mustHaveGaps(klog, topic);
  },
  trimmed(klog, topic) {
    create(klog, topic);
    klog.run(['produce', topic, '--batch-bytes', '1024'], keyedLines(0, 4000, 10));
    klog.run(['topic', 'trim', topic, '-o', '2345', '-y']);
  },
  erased(klog, topic) {
    create(klog, topic);
    klog.run(['produce', topic, '-K', ':', '-z', 'snappy', '--batch-bytes', '1024'], keyedLines(0, 4000, 100));
    klog.run(['erase', topic, '--key', 'key-17', '-y']);
    mustHaveGaps(klog, topic);
  },
  async killed(klog, topic) {
    create(klog, topic);
    for (const afterMs of KILLS) await klog.killWhileProducing(topic, afterMs);
    leaveTornBatch(klog.partition(`${topic}-0`));
    klog.run(['produce', topic], 'after the recovery\n');
    klog.run(['produce', topic, '--batch-bytes', '1024'], keyedLines(0, 800, 10));
    const [, , ...epochs] = readFileSync(join(klog.partition(`${topic}-0`), 'leader-epoch-checkpoint'), 'utf8')
      .trim()
      .split('\n');
    if (epochs.length < 2) throw new Error(`${topic}: the torn batch was cut without a new leader epoch`);
  },
  repaired(klog, topic) {
    create(klog, topic);
    klog.run(['produce', topic, '--batch-bytes', '1024'], keyedLines(0, 3000, 10));
    flipByte(klog.partition(`${topic}-0`));
    klog.run(['log', 'check', topic], '', 7);
    klog.run(['log', 'repair', topic, '-y']);
    mustHaveGaps(klog, topic);
  },
};

/** Everything again, through an archive. */
export function importAll(from: KlogCommand, into: KlogCommand, archive: string): void {
  from.run(['export', '-o', archive]);
  into.run(['import', archive]);
}

function create(klog: KlogCommand, topic: string, more: readonly string[] = []): void {
  klog.run(['topic', 'create', topic, ...SMALL.flatMap((config) => ['-c', config]), ...more]);
}

/** Nulls, empty and binary keys and values, headers of all kinds, times in no order; as JSON lines. */
function edgeRecords(count: number, seed: number): string {
  return randomRecords('edges', count, seededRandom(seed)).map(jsonLine).join('');
}

function jsonLine({ key, value, headers, timestamp }: PlannedRecord): string {
  const bytes = (name: string, of: Uint8Array | null) =>
    of === null ? { [name]: null } : { [`${name}Base64`]: Buffer.from(of).toString('base64') };
  const record = {
    ...bytes('key', key),
    ...bytes('value', value),
    headers: headers.map((header) => ({ key: header.key, ...bytes('value', header.value) })),
    ...(timestamp < 0 ? {} : { timestamp }),
  };
  return `${JSON.stringify(record)}\n`;
}

function keyedLines(first: number, count: number, keys: number): string {
  return Array.from({ length: count }, (_, i) => `key-${i % keys}:value ${first + i} of é and \u{1f427}\n`).join('');
}

/** As a writer leaves it that was killed in the middle of a write: the first half of a batch. */
function leaveTornBatch(partition: string): void {
  const logs = logsOf(partition);
  // The last one may be empty: a kill comes just after a roll, too.
  const bytes = readFileSync(logs[0]!);
  appendFileSync(logs.at(-1)!, bytes.subarray(0, Math.floor((12 + bytes.readInt32BE(8)) / 2)));
}

function flipByte(partition: string): void {
  const [, second] = logsOf(partition);
  const bytes = readFileSync(second!);
  bytes[bytes.length >> 1]! ^= 0x10;
  writeFileSync(second!, bytes);
}

function mustHaveGaps(klog: KlogCommand, topic: string): void {
  const offsets = klog.run(['consume', topic, '-f', '%o\\n']).out.trim().split('\n');
  if (offsets.length === Number(offsets.at(-1)) + 1) throw new Error(`${topic}: no record is gone`);
}

function logsOf(partition: string): string[] {
  const names = readdirSync(partition).filter((name) => name.endsWith('.log'));
  return names.sort().map((name) => join(partition, name));
}
