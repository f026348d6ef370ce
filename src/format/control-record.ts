/**
 * Control records: what coordinators write among the data (attribute bit 5 of the batch). They take an offset and are
 * never handed to applications.
 *
 * ```
 * key     0  i16  version            0
 *         2  i16  type               see CONTROL_RECORD_TYPES; a later version's key may be longer
 * value   0  i16  version            0
 *         2  i32  coordinatorEpoch   of ABORT and COMMIT; other types have other values
 * ```
 */
import { KlogError } from '../errors.js';
import { readInt16, readInt32, writeInt16, writeInt32 } from './int64.js';
import { RecordBatchBuilder } from './record-batch-builder.js';

/** By id. From LEADER_CHANGE on they occur only in `__cluster_metadata`. */
const CONTROL_RECORD_TYPES = [
  'ABORT',
  'COMMIT',
  'LEADER_CHANGE',
  'SNAPSHOT_HEADER',
  'SNAPSHOT_FOOTER',
  'KRAFT_VERSION',
  'KRAFT_VOTERS',
] as const;

/** UNKNOWN: of a later Kafka, to be passed over. */
export type ControlRecordType = (typeof CONTROL_RECORD_TYPES)[number] | 'UNKNOWN';

export type TransactionResult = 'ABORT' | 'COMMIT';

const CURRENT_VERSION = 0;
const KEY_BYTES = 4;
const VALUE_BYTES = 6;

/** The type that the key in `buffer[start, end)` names. Throws CORRUPT_MESSAGE when it is too short for one. */
export function controlRecordType(buffer: Uint8Array, start: number, end: number): ControlRecordType {
  if (start < 0 || end - start < KEY_BYTES) {
    throw new KlogError(
      'CORRUPT_MESSAGE',
      `A control record's key has at least ${KEY_BYTES} bytes, not ${end - start}`,
    );
  }
  const version = readInt16(buffer, start);
  if (version < 0) throw new KlogError('CORRUPT_MESSAGE', `A control record's key has version ${version}`);
  return CONTROL_RECORD_TYPES[readInt16(buffer, start + 2)] ?? 'UNKNOWN';
}

/** From the value of an ABORT or COMMIT marker. Throws CORRUPT_MESSAGE when it is too short. */
export function markerCoordinatorEpoch(buffer: Uint8Array, start: number, end: number): number {
  if (start < 0 || end - start < VALUE_BYTES) {
    throw new KlogError(
      'CORRUPT_MESSAGE',
      `A transaction marker has at least ${VALUE_BYTES} bytes, not ${end - start}`,
    );
  }
  const version = readInt16(buffer, start);
  if (version < 0) throw new KlogError('CORRUPT_MESSAGE', `A transaction marker has version ${version}`);
  return readInt32(buffer, start + 2);
}

export interface TransactionMarker {
  readonly result: TransactionResult;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  /** Milliseconds. */
  readonly timestamp: number;
  /** Default 0; can be set later in place. */
  readonly baseOffset?: number;
  /** Default -1; can be set later in place. */
  readonly partitionLeaderEpoch?: number;
}

/** The batch that ends a transaction on a partition: 78 bytes of its own memory. */
export function buildTransactionMarker(marker: TransactionMarker): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  writeInt16(key, 0, CURRENT_VERSION);
  writeInt16(key, 2, CONTROL_RECORD_TYPES.indexOf(marker.result));
  const value = new Uint8Array(VALUE_BYTES);
  writeInt16(value, 0, CURRENT_VERSION);
  writeInt32(value, 2, marker.coordinatorEpoch);
  const builder = new RecordBatchBuilder({ initialBytes: 128 });
  builder.append(key, 0, KEY_BYTES, value, 0, VALUE_BYTES, marker.timestamp, null);
  return builder.build({
    baseOffset: marker.baseOffset ?? 0,
    partitionLeaderEpoch: marker.partitionLeaderEpoch ?? -1,
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    transactional: true,
    control: true,
  });
}
