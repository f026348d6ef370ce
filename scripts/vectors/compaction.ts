/**
 * A log that is compacted again and again, at the times given, each pass starting from the result before. What klog's
 * own rules and filter make of it must have the content that Kafka's have; where nothing is compressed, the same bytes.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nextBatch, WalkResult } from '../../src/format/batch-walk.js';
import { RecordBatch } from '../../src/format/record-batch.js';
import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import { BatchFilter } from '../../src/storage/batch-filter.js';
import { CleanedTransactions } from '../../src/storage/cleaned-transactions.js';
import { type ActiveProducer, CompactionRules, markerTypeOf } from '../../src/storage/compaction-rules.js';
import { KeyOffsetMap } from '../../src/storage/key-offset-map.js';
import type { AbortedTransaction } from '../../src/storage/transaction-index.js';
import { batchLines, type Line } from './batch-lines.js';
import { compareLines, readLines } from './batches.js';
import { firstDifference } from './compare.js';
import type { Kind } from './vector.js';
import { mismatch, ok, vectorName } from './vector.js';

type AbortedEntry = [producerId: string, firstOffset: string, lastOffset: string];

interface Expected {
  readonly deleteRetentionMs: string;
  readonly cleanedRange: [from: string, to: string];
  readonly abortedTxns: AbortedEntry[];
  readonly activeProducers: [producerId: string, lastDataOffset: string, producerEpoch: number][];
  readonly passes: { readonly now: string; readonly file: string; readonly abortedTxnsKept: AbortedEntry[] }[];
}

export const runCompaction: Kind = async (folder, vector) => {
  const directory = join(folder, vectorName(vector));
  const expected = JSON.parse(await readFile(join(directory, 'expected.json'), 'utf8')) as Expected;
  let bytes: Buffer = await readFile(join(directory, '00-input.bin'));
  let aborted = expected.abortedTxns.map(entryOf);
  let lines = 0;
  for (const { now, file, abortedTxnsKept } of expected.passes) {
    const pass = await compact(bytes, expected, Number(now), aborted);
    const theirs = await readLines(join(directory, file.replace(/\.bin$/, '.jsonl')));
    const ours = await batchLines(pass.bytes);
    const sameBytes = theirs.every(({ type, compression }) => type !== 'batch' || compression === 'none');
    const compared = sameBytes
      ? compareLines(theirs, ours)
      : compareLines(theirs.map(withoutSizes), ours.map(withoutSizes));
    if (compared.difference !== undefined) return mismatch(`${file}: ${compared.difference}`);
    if (sameBytes && !pass.bytes.equals(await readFile(join(directory, file)))) return mismatch(`${file}: other bytes`);
    const difference = firstDifference(abortedTxnsKept, pass.aborted.map(textOf), `${file}: abortedTxnsKept`);
    if (difference !== undefined) return mismatch(difference);
    lines += compared.equal;
    ({ bytes, aborted } = pass);
  }
  return ok(`${expected.passes.length} passes, ${lines} lines`);
};

async function compact(
  bytes: Buffer,
  expected: Expected,
  nowMs: number,
  aborted: readonly AbortedTransaction[],
): Promise<{ bytes: Buffer; aborted: AbortedTransaction[] }> {
  const rules = new CompactionRules({
    lastOffsets: lastOffsetsOf(bytes, aborted),
    upperBound: Number(expected.cleanedRange[1]),
    nowMs,
    deleteRetentionMs: Number(expected.deleteRetentionMs),
    transactions: new CleanedTransactions(aborted),
    activeProducers: new Map(
      expected.activeProducers.map(([producerId, lastDataOffset, producerEpoch]): [number, ActiveProducer] => [
        Number(producerId),
        { lastDataOffset: Number(lastDataOffset), producerEpoch },
      ]),
    ),
  });
  const filter = new BatchFilter();
  const kept: Buffer[] = [];
  const abortedKept: AbortedTransaction[] = [];
  for (const batch of batchesOf(bytes)) {
    const plan = rules.planFor(batch, false);
    const filtered = await filter.filter(batch, plan);
    if (filtered.bytes !== undefined) kept.push(Buffer.from(filtered.bytes));
    if (plan.dataMet) abortedKept.push(plan.aborted!);
  }
  return { bytes: Buffer.concat(kept), aborted: abortedKept };
}

function lastOffsetsOf(bytes: Buffer, aborted: readonly AbortedTransaction[]): KeyOffsetMap {
  const lastOffsets = new KeyOffsetMap();
  const transactions = new CleanedTransactions(aborted);
  const batch = new RecordBatch();
  const cursor = new RecordCursor();
  for (const one of batchesOf(bytes)) {
    batch.reset(one, 0);
    if (batch.isControl) transactions.endWith(batch, markerTypeOf(one));
    if (batch.isControl || transactions.mayDiscardData(batch)) continue;
    openCursor(cursor, one, 0);
    while (cursor.next()) {
      if (cursor.keyStart >= 0) lastOffsets.put(cursor.buffer, cursor.keyStart, cursor.keyEnd, cursor.offset);
    }
  }
  return lastOffsets;
}

function* batchesOf(bytes: Buffer): Generator<Buffer> {
  const walk = new WalkResult();
  for (let at = 0; nextBatch(bytes, at, bytes.length, walk).status === 'batch'; at += walk.size) {
    yield bytes.subarray(at, at + walk.size);
  }
}

/** What depends on how well a codec compressed. */
function withoutSizes({ position, sizeInBytes, crc, validBytes, fileSize, ...rest }: Line): Line {
  return rest;
}

function entryOf([producerId, firstOffset, lastOffset]: AbortedEntry): AbortedTransaction {
  return {
    producerId: Number(producerId),
    firstOffset: Number(firstOffset),
    lastOffset: Number(lastOffset),
    lastStableOffset: Number(lastOffset) + 1,
  };
}

function textOf({ producerId, firstOffset, lastOffset }: AbortedTransaction): AbortedEntry {
  return [String(producerId), String(firstOffset), String(lastOffset)];
}
