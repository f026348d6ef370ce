/** Compares what the independent reader found in a partition's segments, line by line, with what was produced. */
import { firstDifference } from '../vectors/compare.js';
import { expectedIndexes, type SegmentIndexes } from './expected-indexes.js';
import type { SegmentLine } from './python.js';
import type { ExpectedRecord } from './write-topic.js';

export interface ExpectedLog {
  readonly compression: string;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly segmentBytes: number;
  readonly indexIntervalBytes: number;
  /** Of the segments' files, ascending. */
  readonly baseOffsets: readonly number[];
  readonly records: readonly ExpectedRecord[];
}

export interface BatchSummary {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

/** What every batch of a klog producer without transactions must say. */
const PLAIN_BATCH = {
  magic: 2,
  crcOk: true,
  partitionLeaderEpoch: 0,
  isTransactional: false,
  isControl: false,
  deleteHorizonMs: null,
  producerId: '-1',
  producerEpoch: -1,
  baseSequence: -1,
  lastSequence: -1,
};

export class SegmentChecker {
  readonly #expected: ExpectedLog;
  readonly differences: string[] = [];
  /** What the indexes of each finished segment must hold. */
  readonly indexes: SegmentIndexes[] = [];
  batchCount = 0;
  recordCount = 0;
  #segmentBatches: BatchSummary[] = [];
  #positionInSegment = 0;
  /** Of the batch whose records come now. */
  #batch: { readonly end: number; readonly maxTimestamp: string; largest: number } | undefined;

  constructor(expected: ExpectedLog) {
    this.#expected = expected;
  }

  line(line: SegmentLine): void {
    if (line.type === 'record') {
      this.#record(line);
      return;
    }
    this.#endOfBatch();
    if (line.type === 'batch') this.#beginBatch(line);
    else if (line.type === 'end') this.#endOfSegment(line);
    else this.differences.push(`${this.#where()}: the reader says ${JSON.stringify(line)}`);
  }

  /** After the last line: whether all of it came. */
  end(): void {
    this.#equal('segments', this.#expected.baseOffsets.length, this.indexes.length);
    this.#equal('records', this.#expected.records.length, this.recordCount);
  }

  #beginBatch(line: SegmentLine): void {
    const { position, sizeInBytes, baseOffset, lastOffset, maxTimestamp, recordCount, crc: _any, ...said } = line;
    this.#equal('batch', { type: 'batch', ...PLAIN_BATCH, ...this.#perTopic() }, said);
    this.#equal('position', this.#positionInSegment, position);
    this.#equal('baseOffset', String(this.recordCount), baseOffset);
    this.#equal('lastOffset', String(this.recordCount + Number(recordCount) - 1), lastOffset);
    if (this.#segmentBatches.length === 0) {
      this.#equal('name of the file', this.#expected.baseOffsets[this.indexes.length], Number(baseOffset));
    }
    this.batchCount++;
    this.#positionInSegment += Number(sizeInBytes);
    this.#segmentBatches.push({
      position: Number(position),
      sizeInBytes: Number(sizeInBytes),
      lastOffset: Number(lastOffset),
      maxTimestamp: Number(maxTimestamp),
    });
    this.#batch = { end: Number(lastOffset) + 1, maxTimestamp: String(maxTimestamp), largest: -1 };
  }

  #perTopic(): object {
    return { compression: this.#expected.compression, timestampType: this.#expected.timestampType };
  }

  #record(line: SegmentLine): void {
    const expected = this.#expected.records[this.recordCount];
    this.#equal('record', { type: 'record', sequence: -1, ...expected }, line);
    this.recordCount++;
    if (this.#batch === undefined) this.differences.push(`${this.#where()}: a record outside of any batch`);
    else this.#batch.largest = Math.max(this.#batch.largest, Number(line.timestamp));
  }

  #endOfBatch(): void {
    if (this.#batch === undefined) return;
    this.#equal('end of the records of a batch', this.#batch.end, this.recordCount);
    this.#equal('maxTimestamp', String(this.#batch.largest), this.#batch.maxTimestamp);
    this.#batch = undefined;
  }

  #endOfSegment({ validBytes, fileSize, error }: SegmentLine): void {
    this.#equal('error', null, error);
    this.#equal('bytes of whole batches', fileSize, validBytes);
    if (Number(fileSize) > this.#expected.segmentBytes && this.#segmentBatches.length > 1) {
      this.differences.push(`${this.#where()}: ${fileSize} bytes, segment.bytes is ${this.#expected.segmentBytes}`);
    }
    const isClosed = this.indexes.length < this.#expected.baseOffsets.length - 1;
    this.indexes.push(expectedIndexes(this.#segmentBatches, this.#expected.indexIntervalBytes, isClosed));
    this.#segmentBatches = [];
    this.#positionInSegment = 0;
  }

  #equal(what: string, expected: unknown, found: unknown): void {
    const difference = firstDifference(expected, found, what);
    if (difference !== undefined) this.differences.push(`${this.#where()}: ${difference}`);
  }

  #where(): string {
    return `segment ${this.#expected.baseOffsets[this.indexes.length]} offset ${this.recordCount}`;
  }
}
