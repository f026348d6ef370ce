/** Checkpoints, `partition.metadata`, producer snapshot and transaction index, read and written again. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../../src/format/crc32c.js';
import { uuidFromText } from '../../src/format/uuid.js';
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from '../../src/storage/checkpoint-file.js';
import { nodeFileSystem } from '../../src/storage/file-system-node.js';
import { decodeLeaderEpochs, encodeLeaderEpochs } from '../../src/storage/leader-epoch-checkpoint.js';
import { decodePartitionMetadata, encodePartitionMetadata } from '../../src/storage/partition-metadata.js';
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../src/storage/producer-snapshot.js';
import { TransactionIndex } from '../../src/storage/transaction-index.js';
import { Comparison } from './comparison.js';
import { exceedsSafeInteger, isRefusal } from './refusal.js';
import type { Kind } from './vector.js';

/** 64-bit fields as decimal strings, the others as numbers. */
export type SnapshotEntry = Readonly<Record<string, string | number>>;

interface Expected {
  readonly snapshot: SnapshotEntry[];
  readonly topicId: string;
  readonly topicIdHex: string;
  readonly txnIndexQueries: {
    readonly fetchOffset: string;
    readonly upperBoundOffset: string;
    readonly result: [string, string, string, string][];
    readonly isComplete: boolean;
  }[];
}

const INT64_FIELDS = ['producerId', 'lastOffset', 'timestamp', 'currentTxnFirstOffset'] as const;
const SNAPSHOT_ENTRIES_AT = 10;
const SNAPSHOT_ENTRY_SIZE = 46;

export const runSideFiles: Kind = async (folder, vector) => {
  const directory = join(folder, vector.dir!);
  const expected = JSON.parse(await readFile(join(folder, vector.expected!), 'utf8')) as Expected;
  const check = new Comparison();
  const read = (name: string) => readFile(join(directory, name));

  const recoveryPoint = 'recovery-point-offset-checkpoint';
  checkText(await read(recoveryPoint), check, recoveryPoint, (bytes) =>
    encodeOffsetCheckpoint(decodeOffsetCheckpoint(bytes, recoveryPoint)),
  );
  const epochs = 'leader-epoch-checkpoint';
  checkText(await read(epochs), check, epochs, (bytes) => encodeLeaderEpochs(decodeLeaderEpochs(bytes, epochs)));

  const metadata = await read('partition.metadata');
  const { topicId } = decodePartitionMetadata(metadata);
  check.equal('topicId', expected.topicId, topicId);
  check.equal('topicIdHex', expected.topicIdHex, Buffer.from(uuidFromText(topicId)).toString('hex'));
  check.equal('partition.metadata', metadata.toString(), Buffer.from(encodePartitionMetadata(topicId)).toString());

  const snapshot = '00000000000000000101.snapshot';
  checkSnapshot(await read(snapshot), snapshot, expected.snapshot, check);
  await checkQueries(join(directory, '00000000000000000000.txnindex'), expected, check);
  return check.outcome();
};

/**
 * Entries with a value beyond 2^53 - 1 must be refused; then they are taken out, and the rest must read and write
 * alike.
 */
function checkText(bytes: Buffer, check: Comparison, name: string, again: (bytes: Uint8Array) => Uint8Array): void {
  const [version, , ...lines] = bytes.toString().trimEnd().split('\n');
  const large = lines.filter((line) => exceedsSafeInteger(line.split(' ').at(-1)));
  if (large.length > 0) {
    check.equal(
      `${name} refused`,
      true,
      isRefused(() => again(bytes)),
    );
    for (const line of large) check.refused(line.split(' ').at(-1)!);
  }
  const rest = lines.filter((line) => !large.includes(line));
  const text = [version, rest.length, ...rest, ''].join('\n');
  check.equal(name, text, Buffer.from(again(Buffer.from(text))).toString());
}

/** As {@link checkText}; `producerId` is the field that a snapshot can have beyond 2^53 - 1. */
export function checkSnapshot(
  bytes: Buffer,
  name: string,
  expected: readonly SnapshotEntry[],
  check: Comparison,
): void {
  const isLarge = (entry: SnapshotEntry) => INT64_FIELDS.some((field) => exceedsSafeInteger(entry[field]));
  let rest = bytes;
  const large = expected.filter(isLarge);
  if (large.length > 0) {
    check.equal(
      `${name} refused`,
      true,
      isRefused(() => decodeProducerSnapshot(bytes, name)),
    );
    for (const entry of large) check.refused(String(entry.producerId));
    rest = withoutProducers(bytes, new Set(large.map((entry) => BigInt(entry.producerId!))));
  }
  const entries = decodeProducerSnapshot(rest, name);
  const found = entries.map((entry) => ({
    ...entry,
    ...Object.fromEntries(INT64_FIELDS.map((field) => [field, String(entry[field])])),
  }));
  const byProducer = (a: SnapshotEntry, b: SnapshotEntry) => Number(a.producerId) - Number(b.producerId);
  const wanted = expected.filter((entry) => !isLarge(entry));
  check.equal(name, wanted.toSorted(byProducer), (found as SnapshotEntry[]).toSorted(byProducer));
  const again = Buffer.from(encodeProducerSnapshot(entries));
  check.equal(`${name} written again`, rest.toString('hex'), again.toString('hex'));
}

function withoutProducers(bytes: Buffer, producers: ReadonlySet<bigint>): Buffer {
  const kept: Buffer[] = [bytes.subarray(0, SNAPSHOT_ENTRIES_AT)];
  for (let at = SNAPSHOT_ENTRIES_AT; at < bytes.length; at += SNAPSHOT_ENTRY_SIZE) {
    if (!producers.has(bytes.readBigInt64BE(at))) kept.push(bytes.subarray(at, at + SNAPSHOT_ENTRY_SIZE));
  }
  const rest = Buffer.concat(kept);
  rest.writeInt32BE(kept.length - 1, 6);
  rest.writeUInt32BE(crc32c(rest, 6, rest.length), 2);
  return rest;
}

async function checkQueries(path: string, expected: Expected, check: Comparison): Promise<void> {
  const file = await nodeFileSystem.open(path, 'read');
  try {
    const { size } = await file.stat();
    const index = new TransactionIndex(file);
    for (const { fetchOffset, upperBoundOffset, result, isComplete } of expected.txnIndexQueries) {
      const found = await index.collectAborted(Number(fetchOffset), Number(upperBoundOffset), size);
      const rows = found.aborted.map((e) =>
        [e.producerId, e.firstOffset, e.lastOffset, e.lastStableOffset].map(String),
      );
      const answer = { result: rows, isComplete: found.isComplete };
      check.equal(`transaction index ${fetchOffset}-${upperBoundOffset}`, { result, isComplete }, answer);
    }
  } finally {
    await file.close();
  }
}

function isRefused(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (error) {
    return isRefusal(error);
  }
}
