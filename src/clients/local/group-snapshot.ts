import { RecordBatch } from '../../format/record-batch.js';
import { BatchReader } from '../../groups/batch-reader.js';
import { GroupTable } from '../../groups/group-table.js';
import type { NewGroupOffset } from '../group-admin.js';
import type { GroupSnapshot, PartitionSnapshot } from '../log-snapshot.js';
import { byPartition } from '../partition-name.js';
import type { CommitLog } from './commit-logs.js';

const FETCH_BYTES = 1024 * 1024;

/** What groups had committed of these partitions at the ends of the logs. By id; by topic and partition. */
export async function groupsIn(
  logs: readonly CommitLog[],
  ends: readonly PartitionSnapshot[],
): Promise<GroupSnapshot[]> {
  const endOf = new Map(ends.map(({ topic, partition, endOffset }) => [`${topic}:${partition}`, endOffset]));
  const groups: GroupSnapshot[] = [];
  for (const log of logs) {
    const table = await tableOf(log);
    for (const groupId of table.groupIds()) {
      const offsets: NewGroupOffset[] = [];
      for (const { topic, partition, commit } of table.commitsOf(groupId)) {
        const end = endOf.get(`${topic}:${partition}`);
        if (end === undefined) continue;
        // Who reads what is not committed yet may have come further than what is archived.
        offsets.push({ topic, partition, offset: Math.min(commit.offset, end), metadata: commit.metadata });
      }
      if (offsets.length > 0) groups.push({ groupId, offsets: offsets.sort(byPartition) });
    }
  }
  return groups.sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
}

async function tableOf({ reader, endOffset }: CommitLog): Promise<GroupTable> {
  const table = new GroupTable();
  const batches = new BatchReader();
  let { logStartOffset: next } = await reader.marks();
  while (next < endOffset) {
    const block = await reader.fetch(next, FETCH_BYTES);
    if (block.nextOffset <= next) break;
    await batches.apply(upTo(block, endOffset), table);
    next = block.nextOffset;
  }
  return table;
}

/** Batches are whole in the log: one begins before the end or not at all. */
function upTo(block: { buffer: Buffer; start: number; end: number }, endOffset: number) {
  const batch = new RecordBatch();
  let end = block.start;
  while (end < block.end && batch.reset(block.buffer, end).baseOffset < endOffset) end += batch.sizeInBytes;
  return { buffer: block.buffer, start: block.start, end };
}
