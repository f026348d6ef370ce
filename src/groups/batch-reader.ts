/**
 * Applies batches of `__consumer_offsets` to a table. What was committed in a transaction counts when that is
 * committed.
 */
import { loadCodec } from '../format/compression.js';
import { controlRecordType } from '../format/control-record.js';
import { RecordBatch } from '../format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../format/record-cursor.js';
import { textOfBytes } from './bytes-as-text.js';
import type { GroupTable, KeyValueText } from './group-table.js';

export interface Batches {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

interface HeldRecord extends KeyValueText {
  readonly offset: number;
}

export class BatchReader {
  readonly #batch = new RecordBatch();
  readonly #cursor = new RecordCursor();
  /** By producer id: in open transactions. */
  readonly #pending = new Map<number, HeldRecord[]>();

  async apply({ buffer, start, end }: Batches, table: Pick<GroupTable, 'set'>): Promise<void> {
    for (let at = start; at < end; ) {
      const batch = this.#batch.reset(buffer, at);
      const { sizeInBytes } = batch;
      const codec = codecNeeded(buffer, at);
      if (codec !== undefined) await loadCodec(codec);
      this.#applyBatch(buffer, at, table);
      at += sizeInBytes;
    }
  }

  #applyBatch(buffer: Buffer, at: number, table: Pick<GroupTable, 'set'>): void {
    const batch = this.#batch.reset(buffer, at);
    const { isControl, isTransactional, producerId } = batch;
    const cursor = openCursor(this.#cursor, buffer, at);
    while (cursor.next()) {
      if (isControl) {
        this.#endTransaction(producerId, controlRecordType(cursor.buffer, cursor.keyStart, cursor.keyEnd), table);
        continue;
      }
      if (cursor.keyStart < 0) continue;
      const key = textOfBytes(cursor.buffer, cursor.keyStart, cursor.keyEnd);
      const value = cursor.valueStart < 0 ? null : textOfBytes(cursor.buffer, cursor.valueStart, cursor.valueEnd);
      if (isTransactional) {
        this.#hold(producerId, { key, value, offset: cursor.offset });
      } else {
        this.#supersede(key, cursor.offset);
        table.set({ key, value });
      }
    }
  }

  #hold(producerId: number, record: HeldRecord): void {
    const held = this.#pending.get(producerId);
    if (held === undefined) this.#pending.set(producerId, [record]);
    else held.push(record);
  }

  /** Of two records of a key the later one counts, also where the transaction of the earlier one ends last. */
  #supersede(key: string, offset: number): void {
    for (const [producerId, held] of this.#pending) {
      const left = held.filter((one) => one.offset > offset || one.key !== key);
      if (left.length < held.length) this.#pending.set(producerId, left);
    }
  }

  #endTransaction(producerId: number, type: string, table: Pick<GroupTable, 'set'>): void {
    const held = this.#pending.get(producerId) ?? [];
    this.#pending.delete(producerId);
    if (type !== 'COMMIT') return;
    for (const record of held) {
      this.#supersede(record.key, record.offset);
      table.set(record);
    }
  }
}
