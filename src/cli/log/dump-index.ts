/**
 * Shows the entries of a `.index`, `.timeindex` or `.txnindex` as they stand there: whether they are right is not
 * looked at.
 */
import { KlogError } from '../../errors.js';
import type { OpenFile } from '../../storage/file-system.js';
import { OFFSET_INDEX_ENTRY_SIZE, OffsetIndex } from '../../storage/offset-index.js';
import { TIME_INDEX_ENTRY_SIZE, TimeIndex } from '../../storage/time-index.js';
import { TRANSACTION_INDEX_ENTRY_SIZE, TransactionIndex } from '../../storage/transaction-index.js';
import { problemOf } from './batch-fields.js';
import type { DumpFile } from './dump-file.js';
import type { DumpTask } from './dump-task.js';
import type { FieldValues } from './dump-writer.js';
import { isZero } from './trailing-bytes.js';

interface ShownEntry {
  readonly fields: FieldValues;
  readonly line: string;
  /** Nothing but zeros: of room made in advance if only such entries follow. */
  readonly isUnused: boolean;
  readonly problem?: string | undefined;
}

export async function dumpOffsetIndex(file: DumpFile, open: OpenFile, task: DumpTask): Promise<void> {
  const baseOffset = requireBaseOffset(file);
  const { size } = await open.stat();
  const index = new OffsetIndex(open, baseOffset);
  await dumpEntries(file, open, task, OFFSET_INDEX_ENTRY_SIZE, 'offsetIndexEntry', async (slot) => {
    const entry = await index.entry(slot, size);
    if (entry.slot < 0) return undefined;
    const { offset, position } = entry;
    return {
      fields: { offset, position },
      line: `offset: ${offset} position: ${position}`,
      isUnused: offset === baseOffset && position === 0,
    };
  });
}

export async function dumpTimeIndex(file: DumpFile, open: OpenFile, task: DumpTask): Promise<void> {
  const baseOffset = requireBaseOffset(file);
  const { size } = await open.stat();
  const index = new TimeIndex(open, baseOffset);
  // A single entry may be all zeros: one record, of 1970, at the base offset.
  const isSingle = size < 2 * TIME_INDEX_ENTRY_SIZE;
  await dumpEntries(file, open, task, TIME_INDEX_ENTRY_SIZE, 'timeIndexEntry', async (slot) => {
    const entry = await index.entry(slot, size);
    if (entry.slot < 0) return undefined;
    const { offset } = entry;
    const isExact = Number.isFinite(entry.timestamp);
    const timestamp = isExact ? entry.timestamp : null;
    return {
      fields: { timestamp, offset },
      line: `timestamp: ${timestamp ?? '?'} offset: ${offset}`,
      isUnused: !isSingle && timestamp === 0 && offset === baseOffset,
      problem: isExact ? undefined : 'the timestamp of an entry lies beyond 2^53 - 1',
    };
  });
}

/** Kafka writes the room of unused entries as zeros; zeros between entries are shown. */
async function dumpEntries(
  file: DumpFile,
  open: OpenFile,
  task: DumpTask,
  entrySize: number,
  type: string,
  entryAt: (slot: number) => Promise<ShownEntry | undefined>,
): Promise<void> {
  const { format, out, damage } = task;
  format.begin(file, out.buffer);
  const { size } = await open.stat();
  const count = Math.floor(size / entrySize);
  let shown = 0;
  for (let slot = 0; slot < count && !task.isStopped(); slot++) {
    const entry = await entryAt(slot);
    if (entry === undefined) break;
    if (entry.isUnused) continue;
    for (; shown <= slot; shown++) {
      const next = shown === slot ? entry : await entryAt(shown);
      if (next === undefined) return;
      const { fields, line, problem } = next;
      format.content(file, type, fields, [line], out.buffer);
      if (problem !== undefined) damage.add(file, problem, { position: shown * entrySize });
      await out.ready();
    }
  }
  if (task.isStopped()) return;
  if (size === 0) format.empty(file, out.buffer);
  await dumpRest(file, open, task, { position: shown * entrySize, end: size, entrySize });
}

async function dumpRest(
  file: DumpFile,
  open: OpenFile,
  task: DumpTask,
  { position, end, entrySize }: { position: number; end: number; entrySize: number },
): Promise<void> {
  if (position >= end) return;
  const isRoom = await isZero(open, position, end);
  const problem = isRoom ? undefined : `its size of ${end} is no multiple of ${entrySize}`;
  const content = isRoom ? 'zeros' : 'garbage';
  task.format.trailing(
    file,
    { position, bytes: end - position, content, problem, durable: undefined },
    task.out.buffer,
  );
  if (problem !== undefined) task.damage.add(file, problem, { position });
}

export async function dumpTransactionIndex(file: DumpFile, open: OpenFile, task: DumpTask): Promise<void> {
  const { format, out, damage } = task;
  format.begin(file, out.buffer);
  const { size } = await open.stat();
  if (size === 0) format.empty(file, out.buffer);
  let position = 0;
  try {
    for await (const entry of new TransactionIndex(open).entries(size)) {
      if (task.isStopped()) return;
      const { producerId, firstOffset, lastOffset, lastStableOffset } = entry;
      const fields = { version: 0, producerId, firstOffset, lastOffset, lastStableOffset };
      format.content(file, 'abortedTransaction', fields, [fieldsLine(fields)], out.buffer);
      position += TRANSACTION_INDEX_ENTRY_SIZE;
      await out.ready();
    }
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
    const problem = problemOf(error);
    format.damage(file, position, problem, out.buffer);
    damage.add(file, problem, { position });
    return;
  }
  await dumpRest(file, open, task, { position, end: size, entrySize: TRANSACTION_INDEX_ENTRY_SIZE });
}

/** `name: value name: value`. */
export function fieldsLine(fields: FieldValues): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join(' ');
}

/** Entries are relative to it. */
function requireBaseOffset({ baseOffset, shown }: DumpFile): number {
  if (baseOffset !== undefined) return baseOffset;
  throw new KlogError('KLOG_USAGE', `the name of ${shown} does not begin with the base offset of its segment`, {
    file: shown,
    hint: 'Index entries are relative to it: give the file its name, like 00000000000000000000.index',
  });
}
