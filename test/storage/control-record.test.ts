import { describe, expect, it } from 'vitest';
import {
  CONTROL_RECORD_SIZE,
  type ControlRecord,
  decodeControlRecord,
  encodeControlRecord,
  firstControlRecord,
} from '../../src/storage/control-record.js';

function decoded(change: Partial<ControlRecord>): ControlRecord | undefined {
  const bytes = Buffer.alloc(CONTROL_RECORD_SIZE);
  encodeControlRecord({ ...firstControlRecord(0, 5), offset: 70, segmentBase: 66, position: 300, ...change }, bytes, 0);
  return decodeControlRecord(bytes, 0);
}

const { index } = firstControlRecord(0, 0);

describe('a control record with the right checksum', () => {
  it('is taken', () => {
    expect(decoded({})).toMatchObject({ offset: 70, segmentBase: 66, position: 300 });
    expect(decoded({ offset: 66, position: 0 })).toMatchObject({ offset: 66 });
    const withTimes = { ...index, maxTimestamp: 5, offsetOfMaxTimestamp: 66 };
    expect(decoded({ index: withTimes })?.index).toEqual(withTimes);
  });

  it.each<Partial<ControlRecord>>([
    { offset: 65 },
    { segmentBase: -1 },
    { position: -1 },
    { transactionIndexSize: -1 },
    { checkpointPosition: -1 },
    { index: { ...index, offsetOfMaxTimestamp: 65 } },
    { index: { ...index, offsetOfMaxTimestamp: 70 } },
    { index: { ...index, maxTimestamp: 5 } },
    { index: { ...index, offsetIndexSize: -8 } },
    { checkpointIndex: { ...index, timeIndexSize: -12 } },
  ])('that contradicts itself is none: %j', (change) => {
    expect(decoded(change)).toBeUndefined();
  });
});
