import { type ControlRecordType, controlRecordType, markerCoordinatorEpoch } from '../../format/control-record.js';
import { readInt16 } from '../../format/int64.js';
import type { RecordCursor } from '../../format/record-cursor.js';

/** What a control record says. */
export interface ControlFields {
  readonly type: ControlRecordType;
  readonly typeId: number;
  /** Of ABORT and COMMIT. */
  readonly coordinatorEpoch: number | undefined;
}

const TYPE_AT = 2;

/** Of the record that the cursor stands on. CORRUPT_MESSAGE: its key or value is too short. */
export function readControlFields(cursor: RecordCursor): ControlFields {
  const { buffer, keyStart, keyEnd, valueStart, valueEnd } = cursor;
  const type = controlRecordType(buffer, keyStart, keyEnd);
  const isMarker = type === 'ABORT' || type === 'COMMIT';
  return {
    type,
    typeId: readInt16(buffer, keyStart + TYPE_AT),
    coordinatorEpoch: isMarker ? markerCoordinatorEpoch(buffer, valueStart, valueEnd) : undefined,
  };
}
