import { openCursor, RecordCursor } from '../../src/format/record-cursor.js';
import type { MemoryPartition } from './memory-store.js';

/** The values in a partition, as text, in offset order; a null as `null`. */
export function readValues(partition: MemoryPartition): (string | null)[] {
  const values: (string | null)[] = [];
  const cursor = new RecordCursor();
  for (const { bytes } of partition.batches) {
    openCursor(cursor, bytes, 0);
    while (cursor.next()) {
      const value = cursor.value();
      values.push(value === null ? null : Buffer.from(value).toString());
    }
  }
  return values;
}
