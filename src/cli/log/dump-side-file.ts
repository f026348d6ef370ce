/** Shows the small files beside the segments, each as a whole. */
import { KlogError } from '../../errors.js';
import { incrementSequence } from '../../format/record-batch.js';
import { decodeOffsetCheckpoint } from '../../storage/checkpoint-file.js';
import { ControlFile } from '../../storage/control-file.js';
import type { ControlRecord } from '../../storage/control-record.js';
import type { OpenFile } from '../../storage/file-system.js';
import { decodeLeaderEpochs } from '../../storage/leader-epoch-checkpoint.js';
import { isOfThisBoot } from '../../storage/log-context.js';
import { decodeMetaProperties } from '../../storage/meta-properties.js';
import { decodePartitionMetadata } from '../../storage/partition-metadata.js';
import { decodeProducerSnapshot, type ProducerSnapshotEntry } from '../../storage/producer-snapshot.js';
import { problemOf } from './batch-fields.js';
import type { DumpFile } from './dump-file.js';
import { fieldsLine } from './dump-index.js';
import type { DumpTask } from './dump-task.js';
import type { FieldValues } from './dump-writer.js';
import type { FileKind } from './file-kind.js';
import { optionalLong } from './text-dump.js';

/** One line of JSON, and the lines of text that say the same. */
interface Content {
  readonly type: string;
  readonly fields: FieldValues;
  readonly lines: readonly string[];
}

type Decode = (bytes: Uint8Array, file: string) => Content[];

/** Far above what a real one has: a snapshot of a million producers has 46 MB. */
const MAX_BYTES = 256 * 1024 * 1024;

const DECODERS: Readonly<Partial<Record<FileKind, Decode>>> = {
  producerSnapshot: (bytes, file) => decodeProducerSnapshot(bytes, file).map(snapshotContent),
  offsetCheckpoint: (bytes, file) => [listContent('offsetCheckpoint', decodeOffsetCheckpoint(bytes, file))],
  leaderEpochCheckpoint: (bytes, file) => [listContent('leaderEpochCheckpoint', decodeLeaderEpochs(bytes, file))],
  partitionMetadata: (bytes, file) => {
    const { topicId } = decodePartitionMetadata(bytes, file);
    return [plainContent('partitionMetadata', { version: 0, topicId })];
  },
  metaProperties: (bytes, file) => {
    const { version, nodeId, clusterId, directoryId } = decodeMetaProperties(bytes, file);
    const fields = { version, nodeId, clusterId, directoryId };
    const present = Object.entries(fields).filter(
      (entry): entry is [string, string | number] => entry[1] !== undefined,
    );
    return [plainContent('metaProperties', Object.fromEntries(present))];
  },
};

export async function dumpSideFile(file: DumpFile, open: OpenFile, task: DumpTask): Promise<void> {
  const { format, out, damage } = task;
  format.begin(file, out.buffer);
  const { size } = await open.stat();
  if (size === 0) format.empty(file, out.buffer);
  let contents: readonly Content[];
  try {
    contents = file.kind === 'klogEnd' ? [await readControlFile(open, task)] : await decodeWhole(file, open, size);
  } catch (error) {
    if (!(error instanceof KlogError) || !DAMAGE_CODES.has(error.code)) throw error;
    const problem = problemOf(error);
    format.damage(file, undefined, problem, out.buffer);
    damage.add(file, problem);
    return;
  }
  for (const { type, fields, lines } of contents) {
    format.content(file, type, fields, lines, out.buffer);
    await out.ready();
  }
}

const DAMAGE_CODES: ReadonlySet<string> = new Set(['CORRUPT_MESSAGE', 'INVALID_RECORD']);

async function decodeWhole(file: DumpFile, open: OpenFile, size: number): Promise<Content[]> {
  const decode = DECODERS[file.kind];
  if (decode === undefined) throw new TypeError(`${file.kind} is not shown as a whole`);
  if (size > MAX_BYTES) {
    throw new KlogError('CORRUPT_MESSAGE', `${size} bytes are more than such a file ever has`, { file: file.shown });
  }
  const bytes = Buffer.alloc(size);
  const got = await open.read(bytes, 0, size, 0);
  return decode(bytes.subarray(0, got), file.name);
}

function plainContent(type: string, fields: FieldValues): Content {
  return { type, fields, lines: [fieldsLine(fields)] };
}

function listContent<T extends object>(type: string, list: readonly T[]): Content {
  const entries = list.map((entry) => ({ ...entry })) as unknown as FieldValues[];
  return { type, fields: { entries }, lines: entries.map(fieldsLine) };
}

function snapshotContent(entry: ProducerSnapshotEntry): Content {
  return { type: 'producerSnapshotEntry', fields: { ...entry }, lines: [snapshotLine(entry)] };
}

/** As kafka-dump-log: of a producer with nothing but a marker the batch is left out. */
function snapshotLine(entry: ProducerSnapshotEntry): string {
  const { producerId, producerEpoch, coordinatorEpoch, currentTxnFirstOffset, timestamp } = entry;
  const { lastSequence, lastOffset, offsetDelta } = entry;
  const open = optionalLong(currentTxnFirstOffset < 0 ? null : currentTxnFirstOffset);
  const producer = `producerId: ${producerId} producerEpoch: ${producerEpoch} coordinatorEpoch: ${coordinatorEpoch} currentTxnFirstOffset: ${open} lastTimestamp: ${timestamp} `;
  if (lastOffset < 0) return producer;
  const firstSequence = decrementSequence(lastSequence, offsetDelta);
  return `${producer}firstSequence: ${firstSequence} lastSequence: ${lastSequence} lastOffset: ${lastOffset} offsetDelta: ${offsetDelta} timestamp: ${timestamp}`;
}

function decrementSequence(sequence: number, delta: number): number {
  return sequence >= delta ? sequence - delta : incrementSequence(0x7fffffff, sequence - delta + 1);
}

async function readControlFile(open: OpenFile, task: DumpTask): Promise<Content> {
  const control = new ControlFile(open, await open.stat());
  const { appended, safe, syncing } = await control.read();
  if (appended === undefined && safe === undefined) {
    throw new KlogError('CORRUPT_MESSAGE', 'none of its records is whole', { file: open.path });
  }
  const ofThisBoot = safe !== undefined && isOfThisBoot({ control, bootId: task.fs.bootId() }, safe);
  const fields = { appended: recordFields(appended), safe: recordFields(safe), syncing, ofThisBoot };
  return {
    type: 'klogEnd',
    fields,
    lines: [
      `appended: ${recordLine(fields.appended)}`,
      `safe: ${recordLine(fields.safe)}`,
      `syncing: ${syncing} ofThisBoot: ${ofThisBoot}`,
    ],
  };
}

function recordFields(record: ControlRecord | undefined): FieldValues | null {
  if (record === undefined) return null;
  const { index, checkpointIndex, bootId, ...fields } = record;
  return {
    ...fields,
    index: { ...index },
    checkpointIndex: { ...checkpointIndex },
    bootId: Buffer.from(bootId).toString('hex'),
  };
}

function recordLine(fields: FieldValues | null): string {
  if (fields === null) return 'none';
  const flat = Object.entries(fields).map(([name, value]) => {
    const isNested = typeof value === 'object' && value !== null && !Array.isArray(value);
    return `${name}: ${isNested ? `{${fieldsLine(value as FieldValues)}}` : value}`;
  });
  return flat.join(' ');
}
