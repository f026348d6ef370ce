/** The topics that are written for the judge: which records, by which way in, under which configs. */
import type { TopicConfigs } from '../../src/clients/admin.js';
import type { CompressionType } from '../../src/clients/producer.js';
import { COMPRESSION_TYPES } from '../../src/format/compression.js';
import type { RecordKind } from './random-records.js';

/**
 * - `sendAll`: many records a call, as many as chance says; `send`: each by itself, a batch each
 * - `writer`: byte ranges; `reopened`: as `sendAll`, but the directory is closed and opened again and again
 */
export type WayIn = 'sendAll' | 'send' | 'writer' | 'reopened';

export interface TopicPlan {
  readonly topic: string;
  readonly partitions: number;
  readonly configs: TopicConfigs;
  readonly records: RecordKind;
  readonly count: number;
  readonly wayIn: WayIn;
  /** What the producer is told; undefined: nothing. */
  readonly producerCompression: CompressionType | undefined;
  /** What must stand in the batches. */
  readonly compression: CompressionType;
  /** Kafka: `batch.size`. */
  readonly batchBytes: number;
  /** What must be reached at least in each partition, or the plan did not try what it is for. */
  readonly least: { readonly segments: number; readonly batches: number; readonly indexEntries: number };
}

const KIB = 1024;
const FOR_EVER = '9223372036854775807';

/** With fewer records not every plan fills the segments it is for. */
export const FEWEST_RECORDS = 10_000;

/** About `records` records over all topics, those of 1 MB not counted. */
export function topicPlans(records: number): TopicPlan[] {
  const share = (part: number) => Math.round(records * part);
  const plans: TopicPlan[] = [];
  for (const compression of COMPRESSION_TYPES) {
    plans.push(
      plan(`far-edges-${compression}`, compression, {
        records: 'far-edges',
        count: share(0.03),
        configs: { 'segment.bytes': '32768', 'segment.ms': FOR_EVER, 'index.interval.bytes': '1000' },
        batchBytes: 4 * KIB,
        least: { segments: 1, batches: 5, indexEntries: 2 },
      }),
      plan(`edges-${compression}`, compression, {
        count: share(0.05),
        configs: { 'segment.bytes': '32768', 'segment.ms': FOR_EVER, 'index.interval.bytes': '1000' },
        batchBytes: 4 * KIB,
        least: { segments: 2, batches: 10, indexEntries: 5 },
      }),
      plan(`megabytes-${compression}`, compression, {
        records: 'megabytes',
        count: 6,
        configs: { 'segment.bytes': String(compression === 'none' ? 2_500_000 : 1_500_000) },
        least: { segments: 2, batches: 3, indexEntries: 0 },
      }),
    );
  }
  plans.push(
    plan('small-batches', 'none', {
      count: share(0.1),
      wayIn: 'send',
      configs: { 'segment.bytes': '16384', 'segment.ms': FOR_EVER, 'index.interval.bytes': '0' },
      least: { segments: 2, batches: 100, indexEntries: 80 },
    }),
    plan('reopened', 'snappy', {
      count: share(0.05),
      wayIn: 'reopened',
      configs: { 'segment.bytes': '40000', 'segment.ms': FOR_EVER, 'index.interval.bytes': '2000' },
      batchBytes: KIB,
      least: { segments: 1, batches: 10, indexEntries: 3 },
    }),
    plan('small-indexes', 'none', {
      count: share(0.05),
      configs: { 'segment.index.bytes': '96', 'segment.ms': FOR_EVER, 'index.interval.bytes': '0' },
      batchBytes: KIB,
      least: { segments: 2, batches: 10, indexEntries: 7 },
    }),
    plan('rolled-by-time', 'lz4', {
      count: share(0.02),
      configs: { 'segment.ms': '60000', 'index.interval.bytes': '0' },
      batchBytes: KIB,
      least: { segments: 2, batches: 5, indexEntries: 0 },
    }),
    plan('append-time', 'none', {
      count: share(0.05),
      configs: { 'message.timestamp.type': 'LogAppendTime', 'segment.bytes': '32768', 'index.interval.bytes': '500' },
      batchBytes: 2 * KIB,
      least: { segments: 2, batches: 10, indexEntries: 5 },
    }),
    plan('append-time-gzip', 'gzip', {
      count: share(0.05),
      configs: { 'message.timestamp.type': 'LogAppendTime', 'segment.bytes': '16384', 'index.interval.bytes': '500' },
      batchBytes: 2 * KIB,
      least: { segments: 2, batches: 10, indexEntries: 5 },
    }),
    plan('codec-of-the-topic', 'zstd', {
      count: share(0.03),
      producerCompression: undefined,
      configs: { 'compression.type': 'zstd', 'segment.ms': FOR_EVER },
      least: { segments: 1, batches: 1, indexEntries: 0 },
    }),
    plan('three-partitions', 'none', {
      partitions: 3,
      count: share(0.05),
      configs: { 'segment.bytes': '20000', 'segment.ms': FOR_EVER, 'index.interval.bytes': '600' },
      batchBytes: KIB,
      least: { segments: 1, batches: 3, indexEntries: 1 },
    }),
  );
  for (const compression of ['none', 'lz4'] as const) {
    plans.push(
      plan(`lines-${compression}`, compression, {
        records: 'lines',
        count: share(0.1),
        wayIn: 'writer',
        configs: { 'segment.bytes': '65536' },
        batchBytes: 8 * KIB,
        least: { segments: compression === 'none' ? 2 : 1, batches: 5, indexEntries: 1 },
      }),
      plan(`ranges-${compression}`, compression, {
        count: share(0.05),
        wayIn: 'writer',
        configs: { 'segment.bytes': '65536', 'segment.ms': FOR_EVER },
        batchBytes: 8 * KIB,
        least: { segments: 1, batches: 2, indexEntries: 1 },
      }),
    );
  }
  return plans;
}

function plan(
  topic: string,
  compression: CompressionType,
  rest: Partial<TopicPlan> & Pick<TopicPlan, 'count' | 'least'>,
): TopicPlan {
  return {
    topic,
    compression,
    producerCompression: compression,
    partitions: 1,
    configs: {},
    records: 'edges',
    wayIn: 'sendAll',
    batchBytes: 1024 * KIB,
    ...rest,
  };
}
