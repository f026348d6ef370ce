import fc from 'fast-check';
import { loadCodec } from '../../src/format/compression.js';
import { buildTransactionMarker } from '../../src/format/control-record.js';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { type IndexState, SegmentIndexWriter } from '../../src/storage/segment-index-writer.js';
import {
  type FoundByTime,
  type LookupFiles,
  type LookupLimits,
  SegmentLookup,
} from '../../src/storage/segment-lookup.js';
import { MemoryFile } from './memory-file.js';

const gzip = await loadCodec('gzip');

export interface BatchPlan {
  /** Offsets left out before the batch. */
  readonly gap: number;
  readonly timestamps: readonly number[];
  readonly valueBytes: number;
  readonly compressed?: boolean;
  readonly appendTime?: number | undefined;
  /** Transactional, of this producer. */
  readonly producerId?: number | undefined;
  /** Instead of data: the end of that producer's transaction. */
  readonly marker?: 'ABORT' | 'COMMIT' | undefined;
}

export interface ScannedBatch {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
}

/** A segment written batch by batch, and what a scan of it would find. */
export class WrittenSegment {
  readonly baseOffset: number;
  readonly indexIntervalBytes: number;
  readonly log = new MemoryFile();
  readonly offsetIndex = new MemoryFile();
  readonly timeIndex = new MemoryFile();
  readonly batches: ScannedBatch[] = [];
  readonly records: { offset: number; timestamp: number }[] = [];
  /** After each batch; the first is that of the empty segment. */
  readonly states: IndexState[] = [];
  readonly writer: SegmentIndexWriter;
  nextOffset: number;

  constructor(baseOffset: number, indexIntervalBytes: number) {
    this.baseOffset = baseOffset;
    this.indexIntervalBytes = indexIntervalBytes;
    this.nextOffset = baseOffset;
    this.writer = new SegmentIndexWriter(baseOffset, indexIntervalBytes);
    this.states.push(this.writer.state);
  }

  static async write(baseOffset: number, interval: number, plans: readonly BatchPlan[]): Promise<WrittenSegment> {
    const segment = new WrittenSegment(baseOffset, interval);
    for (const plan of plans) segment.append(plan);
    await segment.flush();
    return segment;
  }

  append(plan: BatchPlan): void {
    const baseOffset = this.nextOffset + plan.gap;
    const bytes = plan.marker === undefined ? dataBatch(plan, baseOffset) : markerBatch(plan, baseOffset);
    const position = this.log.bytes.length;
    const times = plan.timestamps.map((time) => plan.appendTime ?? time);
    const lastOffset = baseOffset + times.length - 1;
    const maxTimestamp = Math.max(...times);
    times.forEach((timestamp, i) => {
      this.records.push({ offset: baseOffset + i, timestamp });
    });
    this.batches.push({ position, sizeInBytes: bytes.length, baseOffset, lastOffset, maxTimestamp });
    this.log.write(bytes, 0, bytes.length, position);
    this.writer.add(position, bytes.length, lastOffset, maxTimestamp);
    this.states.push(this.writer.state);
    this.nextOffset = lastOffset + 1;
  }

  flush(): Promise<void> {
    return this.writer.flush(this.offsetIndex, this.timeIndex);
  }

  get files(): LookupFiles {
    return { baseOffset: this.baseOffset, log: this.log, offsetIndex: this.offsetIndex, timeIndex: this.timeIndex };
  }

  get limits(): LookupLimits {
    return {
      logSize: this.log.bytes.length,
      offsetIndexSize: this.offsetIndex.bytes.length,
      timeIndexSize: this.timeIndex.bytes.length,
    };
  }

  lookup(): SegmentLookup {
    return new SegmentLookup(this.files);
  }

  scanFor(targetOffset: number): ScannedBatch | undefined {
    return this.batches.find(({ lastOffset }) => lastOffset >= targetOffset);
  }

  scanForTime(time: number, from: number): FoundByTime | undefined {
    const found = this.records.find(({ offset, timestamp }) => offset >= from && timestamp >= time);
    return found && { ...found, position: this.scanFor(found.offset)!.position };
  }
}

function dataBatch(plan: BatchPlan, baseOffset: number): Uint8Array {
  const builder = new RecordBatchBuilder({ codec: plan.compressed === true ? gzip : undefined });
  const value = Buffer.alloc(plan.valueBytes, 'v');
  for (const timestamp of plan.timestamps) builder.appendValue(value, 0, value.length, timestamp);
  return builder.build({
    baseOffset,
    partitionLeaderEpoch: 0,
    logAppendTime: plan.appendTime,
    ...(plan.producerId === undefined ? {} : { producerId: plan.producerId, producerEpoch: 0, transactional: true }),
  });
}

function markerBatch(plan: BatchPlan, baseOffset: number): Uint8Array {
  return buildTransactionMarker({
    result: plan.marker!,
    producerId: plan.producerId ?? 0,
    producerEpoch: 0,
    coordinatorEpoch: 0,
    timestamp: plan.timestamps[0]!,
    baseOffset,
  });
}

const timestamp = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(-1));

/** Times go back and forth, batches are small and large, offsets have gaps. */
export const batchPlans: fc.Arbitrary<BatchPlan[]> = fc.array(
  fc.record({
    gap: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 50 })),
    timestamps: fc.array(timestamp, { minLength: 1, maxLength: 4 }),
    valueBytes: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 200, max: 1500 })),
    compressed: fc.boolean(),
    appendTime: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined }),
  }),
  { maxLength: 40 },
);

export const intervals: fc.Arbitrary<number> = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2000 }));
export const baseOffsets: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: 0, max: 1000 }),
  fc.constant(Number.MAX_SAFE_INTEGER - 100_000),
);
