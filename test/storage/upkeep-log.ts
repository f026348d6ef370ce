/** A partition on the real disk (without syncs) that tests of retention, trim, compaction and erasing work on. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nextBatch, WalkResult } from '../../src/format/batch-walk.js';
import { type Codec, loadCodec } from '../../src/format/compression.js';
import { buildTransactionMarker } from '../../src/format/control-record.js';

import { RecordBatchBuilder, type RecordBatchFields } from '../../src/format/record-batch-builder.js';
import { codecNeeded, openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { createPartition } from '../../src/storage/create-partition.js';
import type { FileSystem } from '../../src/storage/file-system.js';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/storage/log-config.js';
import type { Clock } from '../../src/storage/log-context.js';
import { segmentBaseOffsets } from '../../src/storage/log-files.js';
import { PartitionLog } from '../../src/storage/partition-log.js';
import { PartitionReader } from '../../src/storage/partition-reader.js';
import { unsyncedFileSystem } from '../store/interposed-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

export const DAY = 24 * 3600_000;
export const NOW = 1_700_000_000_000;

/** Key, value, time; a null value is a tombstone. */
export type Row = readonly [key: string | null, value: string | null, timestamp?: number];

export interface StoredRow {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
}

export class TestClock {
  nowMs = NOW;
  uptimeMs = DAY;
  now(): number {
    return this.nowMs;
  }
  uptime(): number {
    return this.uptimeMs;
  }
  /** As time goes by. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.uptimeMs += ms;
  }
}

export async function newPartition(clock: Clock = { now: () => NOW }): Promise<string> {
  const directory = join(temporaryDirectory(), 't-0');
  mkdirSync(directory);
  await createPartition(unsyncedFileSystem, directory, {
    topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
    clock,
  });
  return directory;
}

export async function openLog(
  directory: string,
  config: Partial<LogConfig> = {},
  options: { readonly fs?: FileSystem; readonly clock?: TestClock } = {},
): Promise<PartitionLog> {
  return await PartitionLog.open(options.fs ?? unsyncedFileSystem, directory, {
    topic: 't',
    partition: 0,
    config: { ...DEFAULT_LOG_CONFIG, ...config },
    clock: options.clock ?? new TestClock(),
    lockWaitMs: 2000,
  });
}

export function batchOf(rows: readonly Row[], fields: RecordBatchFields & { readonly codec?: Codec } = {}): Uint8Array {
  const { codec, ...rest } = fields;
  const builder = new RecordBatchBuilder({ codec });
  for (const [key, value, timestamp] of rows) {
    const keyBytes = key === null ? null : Buffer.from(key);
    const valueBytes = value === null ? null : Buffer.from(value);
    const headers = [{ key: 'h', value: Buffer.from('x') }];
    builder.append(
      keyBytes,
      0,
      keyBytes?.length ?? 0,
      valueBytes,
      0,
      valueBytes?.length ?? 0,
      timestamp ?? NOW,
      headers,
    );
  }
  return builder.build(rest);
}

/** A transaction's data and then its marker. */
export function transaction(producerId: number, rows: readonly Row[], result: 'ABORT' | 'COMMIT'): Uint8Array[] {
  return [
    batchOf(rows, { producerId, producerEpoch: 0, baseSequence: 0, transactional: true }),
    buildTransactionMarker({ result, producerId, producerEpoch: 0, coordinatorEpoch: 1, timestamp: NOW }),
  ];
}

/** One batch of one append each, and safe. */
export async function append(log: PartitionLog, ...batches: Uint8Array[]): Promise<void> {
  for (const batch of batches) await log.durable(await log.append([batch]));
}

/** Begins a new segment: one batch that is larger than a segment may be stands alone. */
export async function rows(log: PartitionLog, ...all: Row[]): Promise<void> {
  for (const row of all) await append(log, batchOf([row]));
}

export function segments(directory: string): number[] {
  return segmentBaseOffsets(readdirSync(directory));
}

export async function openReader(directory: string, fs: FileSystem = unsyncedFileSystem): Promise<PartitionReader> {
  return await PartitionReader.open(fs, directory, { topic: 't', partition: 0 });
}

/** Everything a consumer that reads uncommitted sees, from the log start on. */
export async function readAll(directory: string, fs: FileSystem = unsyncedFileSystem): Promise<StoredRow[]> {
  const reader = await openReader(directory, fs);
  try {
    const { logStartOffset } = await reader.marks();
    return await readFrom(reader, logStartOffset);
  } finally {
    await reader.close();
  }
}

export async function readFrom(reader: PartitionReader, from: number): Promise<StoredRow[]> {
  const found: StoredRow[] = [];
  const { highWatermark } = await reader.marks();
  for (let offset = from; offset < highWatermark; ) {
    const { buffer, start, end, nextOffset } = await reader.fetch(offset, 4096);
    for (const row of await decode(buffer.subarray(start, end))) if (row.offset >= offset) found.push(row);
    offset = nextOffset;
  }
  return found;
}

export async function decode(bytes: Buffer): Promise<StoredRow[]> {
  const found: StoredRow[] = [];
  const walk = new WalkResult();
  const cursor = new RecordCursor();
  for (let at = 0; nextBatch(bytes, at, bytes.length, walk).status === 'batch'; at += walk.size) {
    const codec = codecNeeded(bytes, at);
    if (codec !== undefined) await loadCodec(codec);
    openCursor(cursor, bytes, at);
    while (cursor.next()) {
      if ((bytes[at + 22]! & 0x20) !== 0) continue;
      const { offset, key, value } = cursor.toRecord();
      found.push({ offset, key: text(key), value: text(value) });
    }
  }
  return found;
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

/** All bytes of all files of the partition. */
export function allBytes(directory: string): Buffer {
  return Buffer.concat(readdirSync(directory).map((name) => readFileSync(join(directory, name))));
}

export function leftovers(directory: string): string[] {
  return readdirSync(directory).filter((name) => /\.(cleaned|swap|deleted)$/.test(name));
}
