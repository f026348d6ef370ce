import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ExpectedEnd, fixtureNames, readFixture } from '../../format/kafka-fixtures.js';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { describeDump, dumpJson } from './described-dump.js';

const FIXTURES = resolve(import.meta.dirname, '../../fixtures/kafka');

/** A fixture's bytes as the only segment of partition fix-0. */
async function dumpFixture(name: string) {
  return inTemporaryDirectory(async (directory) => {
    const partition = join(directory, 'fix-0');
    mkdirSync(partition);
    copyFileSync(`${FIXTURES}/${name}.bin`, join(partition, '00000000000000000000.log'));
    return dumpJson([partition, '--records']);
  });
}

/** Whose 64-bit values klog does not take. */
const REFUSED = ['batches/v2-big-offset'];

describe('batches and records as Kafka sees them', () => {
  const folders = ['batches', 'captured', 'corrupt', 'legacy', 'python'].flatMap(fixtureNames);

  it.each(folders.filter((name) => !REFUSED.includes(name)))('%s', async (name) => {
    const expected = readFixture(name).lines;
    const { lines, code } = await dumpFixture(name);
    const end = expected.at(-1) as ExpectedEnd;
    expect(describeDump(lines, expected)).toEqual(expected.slice(0, -1));
    const trailing = lines.find(({ type }) => type === 'trailingBytes');
    expect(trailing?.position ?? end.fileSize).toBe(end.validBytes);
    expect(code).toBe(expected.some((line) => line.type === 'batch' && !line.crcOk) ? 7 : 0);
  });

  it.each(REFUSED)('%s: values beyond 2^53 - 1 are refused, said, and end with 7', async (name) => {
    const { lines, code, err } = await dumpFixture(name);
    const [batch] = lines;
    expect(batch).toMatchObject({ type: 'batch', position: 0, valid: false, lastOffset: null });
    expect(batch?.problem).toMatch(/beyond 2\^53 - 1 cannot be represented exactly, so klog refuses it/);
    expect(lines.some(({ type }) => type === 'record')).toBe(false);
    expect(code).toBe(7);
    expect(JSON.parse(err)).toMatchObject({
      code: 'CORRUPT_MESSAGE',
      exit: 7,
      topic: 'fix',
      partition: 0,
      position: 0,
    });
  });
});

interface ExpectedSegment {
  readonly baseOffset: string;
  readonly offsetIndex: readonly (readonly [string, number])[];
  /** When the log was open: closing adds an entry to the last segment's, unless it ends with that time. */
  readonly timeIndex: readonly (readonly [string, string])[];
  readonly largestTimestamp?: string;
}

interface ExpectedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly logEndOffset: string;
  readonly segments: readonly ExpectedSegment[];
  readonly snapshots: Readonly<Record<string, readonly Record<string, string | number>[]>>;
  readonly txnIndex?: readonly Record<string, string>[];
}

function readPartition(name: string): { directory: string; expected: ExpectedPartition } {
  const raw = JSON.parse(readFileSync(`${FIXTURES}/segments/${name}/expected.json`, 'utf8'));
  const segments = raw.segments ?? [{ baseOffset: '0', offsetIndex: raw.offsetIndex, timeIndex: raw.timeIndex }];
  return { directory: `${FIXTURES}/segments/${name}/${raw.topic}-${raw.partition}`, expected: { ...raw, segments } };
}

/** All values as text, as 64-bit ones stand in the fixtures. */
function asText(fields: Record<string, unknown>, names: readonly string[]): string[] {
  return names.map((name) => String(fields[name]));
}

describe.each(['snappy', 'transactions', 'unclean-preallocated-indexes'])("Kafka's partition %s", (name) => {
  const { directory, expected } = readPartition(name);

  it('has batches without gaps up to its end, named by topic, partition and file', async () => {
    const { lines, code } = await dumpJson([directory]);
    expect(code).toBe(0);
    expect(new Set(lines.map(({ type }) => type))).toEqual(new Set(['batch']));
    const { topic, partition } = expected;
    for (const line of lines) expect(line).toMatchObject({ topic, partition, valid: true });
    expect(lines[0]?.baseOffset).toBe(Number(expected.segments[0]!.baseOffset));
    expect(Number(lines.at(-1)?.lastOffset) + 1).toBe(Number(expected.logEndOffset));
    expect(new Set(lines.map(({ file }) => file)).size).toBe(expected.segments.length);
  });

  it('has the entries of its indexes, and zeros behind them where Kafka made room', async () => {
    for (const segment of expected.segments) {
      const { baseOffset, offsetIndex, timeIndex, largestTimestamp } = segment;
      const stem = join(directory, baseOffset.padStart(20, '0'));
      const offsets = await dumpJson([`${stem}.index`]);
      const times = await dumpJson([`${stem}.timeindex`]);
      const entriesOf = ({ lines }: typeof offsets) => lines.filter(({ type }) => type.endsWith('Entry'));
      expect(entriesOf(offsets).map((line) => asText(line, ['offset', 'position']))).toEqual(
        offsetIndex.map(([offset, position]) => [offset, String(position)]),
      );
      const timeEntries = entriesOf(times).map((line) => asText(line, ['timestamp', 'offset']));
      expect(timeEntries.slice(0, timeIndex.length)).toEqual(timeIndex);
      const closing = timeEntries.slice(timeIndex.length).map(([timestamp]) => timestamp);
      const isClosed = name === 'snappy' && segment === expected.segments.at(-1);
      expect(closing).toEqual(isClosed ? [largestTimestamp] : []);
      for (const { code, lines } of [offsets, times]) {
        expect(code).toBe(0);
        for (const line of lines.slice(entriesOf({ lines } as typeof offsets).length)) {
          expect(line).toMatchObject({ type: 'trailingBytes', content: 'zeros' });
        }
      }
    }
  });

  it('has the producers of its snapshots', async () => {
    for (const [file, entries] of Object.entries(expected.snapshots)) {
      const { lines } = await dumpJson([join(directory, file)]);
      const names = Object.keys(entries[0] ?? {});
      expect(lines.map((line) => asText(line, names))).toEqual(entries.map((entry) => asText(entry, names)));
    }
  });
});

it("shows a transaction index's aborted transactions, and markers with their epoch", async () => {
  const { directory, expected } = readPartition('transactions');
  const { lines } = await dumpJson([join(directory, '00000000000000000000.txnindex')]);
  const names = ['producerId', 'firstOffset', 'lastOffset', 'lastStableOffset'];
  expect(lines.map((line) => asText(line, names))).toEqual(expected.txnIndex?.map((entry) => asText(entry, names)));
  const records = (await dumpJson([directory, '--records'])).lines.filter(({ control }) => control !== undefined);
  expect(records.map(({ offset, control, coordinatorEpoch }) => [offset, control, coordinatorEpoch])).toContainEqual([
    7,
    'ABORT',
    7,
  ]);
  expect(new Set(records.map(({ control }) => control))).toEqual(new Set(['ABORT', 'COMMIT']));
});

it('says that room was made in advance in the indexes of a broker that was killed', async () => {
  const { directory } = readPartition('unclean-preallocated-indexes');
  const { lines } = await dumpJson([join(directory, '00000000000000000181.index')]);
  expect(lines.at(-1)).toMatchObject({ type: 'trailingBytes', content: 'zeros' });
  expect(Number(lines.at(-1)?.position) + Number(lines.at(-1)?.bytes)).toBe(8192);
});
