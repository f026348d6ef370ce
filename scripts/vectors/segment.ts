/**
 * Partition directories written by Kafka: every index entry, look-up and snapshot, and the indexes of all segments
 * built again from their logs, byte for byte.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { OpenFile } from '../../src/storage/file-system.js';
import { nodeFileSystem } from '../../src/storage/file-system-node.js';
import { segmentFileName } from '../../src/storage/log-files.js';
import { OffsetIndex } from '../../src/storage/offset-index.js';
import { type LookupLimits, SegmentLookup } from '../../src/storage/segment-lookup.js';
import { TIME_INDEX_ENTRY_SIZE, TimeIndex } from '../../src/storage/time-index.js';
import { TransactionIndex } from '../../src/storage/transaction-index.js';
import { Comparison } from './comparison.js';
import { recoverCopy } from './recovered-copy.js';
import { checkSnapshot, type SnapshotEntry } from './side-files.js';
import type { Kind } from './vector.js';

type OffsetEntry = [offset: string, position: number];
type TimeEntry = [timestamp: string, offset: string];

interface ExpectedIndexes {
  readonly offsetIndex: OffsetEntry[];
  readonly timeIndex: TimeEntry[];
}

interface ExpectedSegment extends ExpectedIndexes {
  readonly baseOffset: string;
  readonly largestTimestamp: string;
  readonly offsetLookups: {
    readonly offset: string;
    readonly indexHit: OffsetEntry;
    readonly found: { batchLastOffset: string; position: number; size: number } | null;
  }[];
  readonly timestampLookups: {
    readonly timestamp: string;
    readonly indexHit: TimeEntry;
    readonly found: { offset: string; timestamp: string } | null;
  }[];
}

interface ExpectedTransactions {
  readonly lastStableOffset: string;
  readonly txnIndex: { producerId: string; firstOffset: string; lastOffset: string; lastStableOffset: string }[];
  readonly abortedTxnsFor: {
    readonly fetchOffset: string;
    readonly upperBoundOffset: string;
    readonly aborted: [producerId: string, firstOffset: string][];
    readonly isComplete: boolean;
  }[];
}

interface Expected extends Partial<ExpectedIndexes>, Partial<ExpectedTransactions> {
  readonly topic: string;
  readonly partition: number;
  readonly logEndOffset: string;
  readonly indexIntervalBytes?: number;
  readonly segments?: ExpectedSegment[];
  readonly snapshots: Record<string, SnapshotEntry[]>;
}

/** Where it is not given every batch but the first was indexed. */
const INDEX_EVERY_BATCH = 0;

export const runSegment: Kind = async (folder, vector) => {
  const expected = JSON.parse(await readFile(join(folder, vector.expected!), 'utf8')) as Expected;
  const directory = join(folder, vector.dir!, `${expected.topic}-${expected.partition}`);
  const check = new Comparison();
  const segments = expected.segments ?? [oneSegment(expected)];
  const interval = expected.indexIntervalBytes ?? INDEX_EVERY_BATCH;
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    const closed = !(isLast && basename(vector.dir!).startsWith('unclean'));
    await checkSegment(directory, segment, check, closed);
    const end = isLast ? expected.logEndOffset : segments[i + 1]!.baseOffset;
    await checkRebuilt(directory, segment, interval, closed, end, check);
  }
  if (expected.txnIndex !== undefined) {
    await checkTransactions(directory, expected as Expected & ExpectedTransactions, interval, check);
  }
  for (const [name, entries] of Object.entries(expected.snapshots)) {
    checkSnapshot(await readFile(join(directory, name)), name, entries, check);
  }
  return check.outcome();
};

function oneSegment(expected: Expected): ExpectedSegment {
  const { offsetIndex = [], timeIndex = [] } = expected;
  const largestTimestamp = timeIndex.at(-1)?.[0] ?? '-1';
  return { baseOffset: '0', offsetIndex, timeIndex, largestTimestamp, offsetLookups: [], timestampLookups: [] };
}

async function checkSegment(
  directory: string,
  expected: ExpectedSegment,
  check: Comparison,
  closed: boolean,
): Promise<void> {
  const baseOffset = Number(expected.baseOffset);
  const open = (suffix: '.log' | '.index' | '.timeindex') =>
    nodeFileSystem.open(join(directory, segmentFileName(baseOffset, suffix)), 'read');
  const log = await open('.log');
  const offsetFile = await open('.index');
  const timeFile = await open('.timeindex');
  try {
    const files = { baseOffset, log, offsetIndex: offsetFile, timeIndex: timeFile };
    const lookup = new SegmentLookup(files);
    const whole = await lookup.limits((await log.stat()).size, files);
    const limits = await withoutClosingEntry(timeFile, whole, expected, check);
    await checkIndexes(offsetFile, timeFile, baseOffset, limits, expected, check);
    await checkLookups(lookup, limits, expected, check);
    const withoutIndexes = { ...limits, offsetIndexSize: 0, timeIndexSize: 0 };
    await checkLookups(lookup, withoutIndexes, expected, check);
    const largest = await lookup.largestTimestamp(whole, closed);
    check.equal(`${baseOffset} largestTimestamp`, expected.largestTimestamp, String(largest?.timestamp ?? -1));
  } finally {
    for (const file of [log, offsetFile, timeFile]) await file.close();
  }
}

/**
 * What is expected of the last segment was noted before it was closed: its time index may have a closing entry more,
 * which then has the largest timestamp.
 */
async function withoutClosingEntry(
  timeFile: OpenFile,
  limits: LookupLimits,
  expected: ExpectedSegment,
  check: Comparison,
): Promise<LookupLimits> {
  const size = expected.timeIndex.length * TIME_INDEX_ENTRY_SIZE;
  if (limits.timeIndexSize !== size + TIME_INDEX_ENTRY_SIZE) return limits;
  const closing = await new TimeIndex(timeFile, Number(expected.baseOffset)).lastEntry(limits.timeIndexSize);
  check.equal(`${expected.baseOffset} closing entry`, expected.largestTimestamp, String(closing.timestamp));
  return { ...limits, timeIndexSize: size };
}

async function checkIndexes(
  offsetFile: OpenFile,
  timeFile: OpenFile,
  baseOffset: number,
  limits: LookupLimits,
  expected: ExpectedSegment,
  check: Comparison,
): Promise<void> {
  const offsetIndex = new OffsetIndex(offsetFile, baseOffset);
  const timeIndex = new TimeIndex(timeFile, baseOffset);
  const offsets = await offsetIndex.entries(limits.offsetIndexSize);
  check.equal(
    `${baseOffset} offsetIndex`,
    expected.offsetIndex,
    offsets.map((e) => [String(e.offset), e.position]),
  );
  const times = await timeIndex.entries(limits.timeIndexSize);
  check.equal(
    `${baseOffset} timeIndex`,
    expected.timeIndex,
    times.map((e) => [String(e.timestamp), String(e.offset)]),
  );
  for (const { offset, indexHit } of expected.offsetLookups) {
    const hit = await offsetIndex.lookup(Number(offset), limits.offsetIndexSize);
    check.equal(`${baseOffset} index hit of ${offset}`, indexHit, [String(hit.offset), hit.position]);
  }
  for (const { timestamp, indexHit } of expected.timestampLookups) {
    const hit = await timeIndex.lookup(Number(timestamp), limits.timeIndexSize);
    check.equal(`${baseOffset} index hit of time ${timestamp}`, indexHit, [String(hit.timestamp), String(hit.offset)]);
  }
}

async function checkLookups(
  lookup: SegmentLookup,
  limits: LookupLimits,
  expected: ExpectedSegment,
  check: Comparison,
): Promise<void> {
  for (const { offset, found } of expected.offsetLookups) {
    const place = await lookup.findPosition(Number(offset), limits);
    const answer = place && {
      batchLastOffset: String(place.lastOffset),
      position: place.position,
      size: place.sizeInBytes,
    };
    check.equal(`${expected.baseOffset} batch of ${offset}`, found, answer ?? null);
  }
  for (const { timestamp, found } of expected.timestampLookups) {
    const place = await lookup.findOffsetByTime(Number(timestamp), Number(expected.baseOffset), limits, false);
    const answer = place && { offset: String(place.offset), timestamp: String(place.timestamp) };
    check.equal(`${expected.baseOffset} record of time ${timestamp}`, found, answer ?? null);
  }
}

async function checkRebuilt(
  directory: string,
  expected: ExpectedSegment,
  indexIntervalBytes: number,
  closed: boolean,
  nextOffset: string,
  check: Comparison,
): Promise<void> {
  const baseOffset = Number(expected.baseOffset);
  const recovered = await recoverCopy(directory, baseOffset, indexIntervalBytes, closed);
  check.equal(`${baseOffset} stop`, 'end', recovered.stop);
  check.equal(`${baseOffset} nextOffset`, nextOffset, String(recovered.nextOffset));
  for (const [suffix, rebuilt] of recovered.files) {
    const file = join(directory, segmentFileName(baseOffset, suffix));
    const kafkas = existsSync(file) ? await readFile(file) : Buffer.alloc(0);
    // An index that was not closed ends in zeros.
    const tail = kafkas.subarray(rebuilt.length);
    const begins = kafkas.subarray(0, rebuilt.length).equals(rebuilt);
    const isWhole = closed ? tail.length === 0 : tail.every((byte) => byte === 0);
    check.equal(
      `${baseOffset}${suffix} built again`,
      'the same bytes',
      begins && isWhole ? 'the same bytes' : 'others',
    );
  }
}

async function checkTransactions(
  directory: string,
  expected: Expected & ExpectedTransactions,
  indexIntervalBytes: number,
  check: Comparison,
): Promise<void> {
  const file = await nodeFileSystem.open(join(directory, segmentFileName(0, '.txnindex')), 'read');
  try {
    const { size } = await file.stat();
    const index = new TransactionIndex(file);
    const entries: Record<string, string>[] = [];
    for await (const entry of index.entries(size)) {
      entries.push(Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, String(value)])));
    }
    check.equal('txnIndex', expected.txnIndex, entries);
    for (const { fetchOffset, upperBoundOffset, aborted, isComplete } of expected.abortedTxnsFor) {
      const found = await index.collectAborted(Number(fetchOffset), Number(upperBoundOffset), size);
      const pairs = found.aborted.map((e) => [String(e.producerId), String(e.firstOffset)]);
      const answer = { aborted: pairs, isComplete: found.isComplete };
      check.equal(`aborted in ${fetchOffset}-${upperBoundOffset}`, { aborted, isComplete }, answer);
    }
  } finally {
    await file.close();
  }
  const { lastStableOffset } = await recoverCopy(directory, 0, indexIntervalBytes, true);
  check.equal('lastStableOffset', expected.lastStableOffset, String(lastStableOffset));
}
