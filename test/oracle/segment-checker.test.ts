import { describe, expect, it } from 'vitest';
import type { SegmentLine } from '../../scripts/oracle/python.js';
import { type ExpectedLog, SegmentChecker } from '../../scripts/oracle/segment-checker.js';

/** Two segments of one batch and of two, as read_segment.py prints them. */
const LINES: readonly SegmentLine[] = [
  batch({ position: 0, baseOffset: '0', lastOffset: '1', recordCount: 2, maxTimestamp: '20' }),
  record({ offset: '0', timestamp: '20' }),
  record({ offset: '1', timestamp: '-1', key: null, value: '' }),
  { type: 'end', validBytes: 100, fileSize: 100, error: null },
  batch({ position: 0, baseOffset: '2', lastOffset: '2', recordCount: 1, maxTimestamp: '30' }),
  record({ offset: '2', timestamp: '30' }),
  batch({ position: 100, baseOffset: '3', lastOffset: '3', recordCount: 1, maxTimestamp: '40' }),
  record({ offset: '3', timestamp: '40', headers: [['h', null]] }),
  { type: 'end', validBytes: 200, fileSize: 200, error: null },
];

const EXPECTED: ExpectedLog = {
  compression: 'none',
  timestampType: 'CreateTime',
  segmentBytes: 200,
  indexIntervalBytes: 50,
  baseOffsets: [0, 2],
  records: [
    { offset: '0', timestamp: '20', key: '6b', value: '76', headers: [] },
    { offset: '1', timestamp: '-1', key: null, value: '', headers: [] },
    { offset: '2', timestamp: '30', key: '6b', value: '76', headers: [] },
    { offset: '3', timestamp: '40', key: '6b', value: '76', headers: [['h', null]] },
  ],
};

function batch(fields: object): SegmentLine {
  return {
    type: 'batch',
    sizeInBytes: 100,
    magic: 2,
    partitionLeaderEpoch: 0,
    crc: 1,
    crcOk: true,
    compression: 'none',
    timestampType: 'CreateTime',
    isTransactional: false,
    isControl: false,
    deleteHorizonMs: null,
    producerId: '-1',
    producerEpoch: -1,
    baseSequence: -1,
    lastSequence: -1,
    ...fields,
  };
}

function record(fields: object): SegmentLine {
  return { type: 'record', sequence: -1, key: '6b', value: '76', headers: [], ...fields };
}

function check(lines: readonly SegmentLine[], expected = EXPECTED): SegmentChecker {
  const checker = new SegmentChecker(expected);
  for (const line of lines) checker.line(line);
  checker.end();
  return checker;
}

describe('what the oracle compares in segments', () => {
  it('finds nothing wrong in what is right, and works out the indexes', () => {
    const checker = check(LINES);
    expect(checker.differences).toEqual([]);
    expect(checker.indexes).toEqual([
      // Closed with its largest timestamp; the last segment is still open.
      { offsetIndex: [], timeIndex: [['20', '1']] },
      { offsetIndex: [['3', 100]], timeIndex: [['40', '3']] },
    ]);
  });

  it('finds each field that is wrong, in every line', () => {
    const unnoticed: string[] = [];
    LINES.forEach((line, index) => {
      for (const [field, value] of Object.entries(line)) {
        // The reader says whether the CRC is right; its value is the reader's business.
        if (field === 'crc' || field === 'type') continue;
        const changed = typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value}1`;
        const lines = LINES.with(index, { ...line, [field]: changed });
        if (check(lines).differences.length === 0 && field !== 'sizeInBytes')
          unnoticed.push(`${field} of line ${index}`);
      }
    });
    expect(unnoticed).toEqual([]);
  });

  it('finds a size that does not lead to the next batch', () => {
    expect(check(LINES.with(4, { ...LINES[4]!, sizeInBytes: 99 })).differences).not.toEqual([]);
  });

  it('finds each line that is missing or there twice', () => {
    LINES.forEach((line, index) => {
      expect(check(LINES.toSpliced(index, 1)).differences).not.toEqual([]);
      expect(check(LINES.toSpliced(index, 0, line)).differences).not.toEqual([]);
    });
  });

  it('finds what the reader could not decode', () => {
    const error = { type: 'error', class: 'CorruptRecordException', message: 'no' };
    expect(check(LINES.toSpliced(1, 0, error)).differences).not.toEqual([]);
  });

  it('finds a segment that has grown too large, unless it is a single batch', () => {
    expect(check(LINES, { ...EXPECTED, segmentBytes: 199 }).differences).toHaveLength(1);
    expect(check(LINES.slice(0, 4), single(99)).differences).toEqual([]);
  });
});

function single(segmentBytes: number): ExpectedLog {
  return { ...EXPECTED, segmentBytes, baseOffsets: [0], records: EXPECTED.records.slice(0, 2) };
}
