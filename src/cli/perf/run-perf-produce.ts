import type { Client } from '../../clients/client.js';
import type { CompressionType, ProducerOptions } from '../../clients/producer.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import { withClient } from '../open-client.js';
import { exclude, need } from '../option-errors.js';
import { parseAcks } from '../produce/acks.js';
import { RateLimit } from '../produce/rate-limit.js';
import { Progress } from '../progress.js';
import { setting } from '../settings.js';
import { type IntervalOptions, IntervalReport } from './interval-report.js';
import { LatencyHistogram } from './latency-histogram.js';
import { MonotonicPayloads, type Payloads, RandomPayloads, readPayloads } from './payloads.js';
import { nowMs } from './perf-clock.js';
import { type PerfResult, printPerfResult } from './perf-report.js';
import { type PerfTopic, type PerfTopicOptions, withPerfTopic } from './perf-topic.js';
import { PerfWriter } from './perf-writer.js';
import { processMetrics } from './process-metrics.js';
import { producerFlags } from './producer-props.js';

export interface PerfProduceOptions extends PerfTopicOptions, IntervalOptions {
  readonly numRecords?: number;
  /** Bytes. */
  readonly recordSize?: number;
  readonly payloadFile?: string;
  readonly payloadDelimiter?: Buffer;
  readonly payloadMonotonic?: boolean;
  /** Records per second; default Infinity: as fast as it goes. */
  readonly throughput?: number;
  readonly warmupRecords?: number;
  readonly printMetrics?: boolean;
  readonly acks?: string;
  readonly compression?: CompressionType;
  readonly linger?: number;
  readonly batchBytes?: number;
  /** `name=value`, by Kafka's names. */
  readonly producerProps?: readonly string[];
}

export const DEFAULT_RECORDS = 1_000_000;
export const DEFAULT_RECORD_BYTES = 100;
/** The producer's own defaults. */
const BATCH_BYTES = 1024 * 1024;
const BUFFER_BYTES = 16 * 1024 * 1024;
const NEWLINE = Buffer.from('\n');

export async function runPerfProduce(given: PerfProduceOptions, context: CliContext): Promise<ExitCode> {
  const options = { ...given, ...producerFlags(given.producerProps ?? [], given) };
  const payloads = await payloadsOf(options, context);
  if (payloads === undefined) return 0;
  checkWarmup(options.warmupRecords, options.numRecords ?? DEFAULT_RECORDS);
  const acks = (await setting('acks', options.acks, context, parseAcks)) ?? 'all';
  const topics = options.topic === undefined ? [] : [options.topic];
  return withClient<ExitCode>(options, context, { create: true, topics }, (client) =>
    withPerfTopic<ExitCode>(client, options, context, async (topic) => {
      const { linger, batchBytes, compression } = options;
      const result = await measureProduce(client, topic, payloads, options, context, {
        acks,
        ...(compression === undefined ? {} : { compression }),
        ...(linger === undefined ? {} : { lingerMs: linger }),
        ...(batchBytes === undefined ? {} : { batchBytes, bufferBytes: Math.max(BUFFER_BYTES, batchBytes * 4) }),
      });
      await printPerfResult(result, options.json, context);
      return 0;
    }),
  );
}

async function measureProduce(
  client: Client,
  { topic, partitions }: PerfTopic,
  payloads: Payloads,
  options: PerfProduceOptions,
  context: CliContext,
  producerOptions: ProducerOptions,
): Promise<PerfResult> {
  const { numRecords = DEFAULT_RECORDS, warmupRecords = 0, throughput = Number.POSITIVE_INFINITY } = options;
  const { signal } = context.signals;
  const producer = client.producer(producerOptions);
  const latencies = new LatencyHistogram();
  const intervals = new IntervalReport(options, context);
  const limit = throughput === Number.POSITIVE_INFINITY ? undefined : new RateLimit(throughput, nowMs, signal);
  const elapsed = () => nowMs() - written.beganMs;
  const written = new PerfWriter({
    writer: await producer.writer(topic),
    payloads,
    records: numRecords,
    warmupRecords,
    limit,
    turnBytes: options.batchBytes ?? BATCH_BYTES,
    latencies,
    signal,
    onProgress: () => intervals.update(elapsed(), written.records, written.bytes),
  });
  const metrics = processMetrics();
  const progress = new Progress(options, context, () => `${written.records} of ${numRecords - warmupRecords} records`);
  try {
    await written.write();
    await producer.flush();
  } finally {
    progress.stop();
  }
  const elapsedMs = Number.isNaN(written.beganMs) ? 0 : elapsed();
  intervals.finish(elapsedMs, written.records, written.bytes);
  await producer.close();
  const { acks = 'all', compression } = producerOptions;
  return {
    test: 'produce',
    topic,
    partitions,
    records: written.records,
    bytes: written.bytes,
    elapsedMs,
    warmupRecords,
    wasInterrupted: signal.aborted,
    settings: { acks, ...(compression === undefined ? {} : { compression }) },
    latencies: [{ name: 'acknowledged', meaning: `from handed over to acknowledged by acks=${acks}`, latencies }],
    intervals: options.json ? intervals.intervals : undefined,
    metrics: options.printMetrics
      ? { batches: written.batches, 'stored.bytes': written.storedBytes, ...metrics() }
      : undefined,
  };
}

/** KLOG_USAGE where nothing would be left to measure. */
export function checkWarmup(warmupRecords: number | undefined, records: number): void {
  if (warmupRecords === undefined || warmupRecords < records) return;
  throw new KlogError('KLOG_USAGE', `--warmup-records ${warmupRecords} leaves none of ${records} records to measure`);
}

/** Undefined: a signal came before all of the file. */
async function payloadsOf(options: PerfProduceOptions, context: CliContext): Promise<Payloads | undefined> {
  const { recordSize, payloadFile, payloadDelimiter, payloadMonotonic } = options;
  if (recordSize !== undefined && payloadFile !== undefined) exclude('--record-size', '--payload-file');
  if (recordSize !== undefined && payloadMonotonic) exclude('--record-size', '--payload-monotonic');
  if (payloadFile !== undefined && payloadMonotonic) exclude('--payload-file', '--payload-monotonic');
  if (payloadDelimiter !== undefined && payloadFile === undefined) need('--payload-delimiter', '--payload-file');
  if (payloadMonotonic) return new MonotonicPayloads();
  if (payloadFile !== undefined) return readPayloads(payloadFile, payloadDelimiter ?? NEWLINE, context);
  return new RandomPayloads(recordSize ?? DEFAULT_RECORD_BYTES);
}
