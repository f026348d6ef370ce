import type { Client } from '../../clients/client.js';
import type { Acks, CompressionType, Producer } from '../../clients/producer.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import { withClient } from '../open-client.js';
import { parseAcks } from '../produce/acks.js';
import { RateLimit } from '../produce/rate-limit.js';
import { Progress } from '../progress.js';
import { setting } from '../settings.js';
import { LatencyHistogram } from './latency-histogram.js';
import { RandomPayloads } from './payloads.js';
import { nowMs } from './perf-clock.js';
import { type PerfResult, printPerfResult } from './perf-report.js';
import { type PerfTopic, type PerfTopicOptions, withPerfTopic } from './perf-topic.js';
import { processMetrics } from './process-metrics.js';
import { checkWarmup, DEFAULT_RECORD_BYTES } from './run-perf-produce.js';
import { ConsumedRecords, PrintedRecords, type VisibleRecords } from './visible-records.js';

export interface PerfE2eOptions extends PerfTopicOptions {
  readonly numRecords?: number;
  readonly recordSize?: number;
  readonly throughput?: number;
  readonly warmupRecords?: number;
  readonly printMetrics?: boolean;
  readonly acks?: string;
  readonly compression?: CompressionType;
  /** 1: the consumer is in this process. */
  readonly processes?: 1 | 2;
}

/** Each waits for the disk. */
const DEFAULT_E2E_RECORDS = 1000;

export async function runPerfE2e(options: PerfE2eOptions, context: CliContext): Promise<ExitCode> {
  const { topic, numRecords = DEFAULT_E2E_RECORDS, compression } = options;
  checkWarmup(options.warmupRecords, numRecords);
  const acks = (await setting('acks', options.acks, context, parseAcks)) ?? 'all';
  if (acks === 'none') {
    throw new KlogError('KLOG_USAGE', '--acks none acknowledges nothing: there is no latency to measure', {
      hint: 'Use all or written',
    });
  }
  const request = { create: true, topics: topic === undefined ? [] : [topic] };
  return withClient<ExitCode>(options, context, request, (client, { directory }) =>
    withPerfTopic<ExitCode>(client, options, context, async (of) => {
      const producer = client.producer({ acks, ...(compression === undefined ? {} : { compression }) });
      const visible = await watch(client, of.topic, directory, options, context);
      try {
        const result = await measureE2e({ producer, visible, of, acks, numRecords }, options, context);
        await printPerfResult(result, options.json, context);
      } finally {
        await visible.close();
        await producer.close();
      }
      return 0;
    }),
  );
}

async function watch(
  client: Client,
  topic: string,
  directory: string,
  { processes }: PerfE2eOptions,
  context: CliContext,
): Promise<VisibleRecords> {
  const { signal } = context.signals;
  const ends = await client.admin().listOffsets(topic, 'end');
  // From offsets, not from the end that a consumer finds when it has come so far.
  const partitions = ends.map(({ partition, offset }) => ({ partition, from: offset }));
  return processes === 2
    ? new PrintedRecords(directory, topic, partitions, signal)
    : new ConsumedRecords(client, topic, partitions, signal);
}

interface E2eRun {
  readonly producer: Producer;
  readonly visible: VisibleRecords;
  readonly of: PerfTopic;
  readonly acks: Acks;
  readonly numRecords: number;
}

/** One record at a time: sent, acknowledged and seen before the next one goes. */
async function measureE2e(
  { producer, visible, of, acks, numRecords }: E2eRun,
  options: PerfE2eOptions,
  context: CliContext,
): Promise<PerfResult> {
  const { topic, partitions } = of;
  const { warmupRecords = 0, recordSize = DEFAULT_RECORD_BYTES, processes = 1 } = options;
  const { throughput = Number.POSITIVE_INFINITY } = options;
  const { signal } = context.signals;
  const limit = throughput === Number.POSITIVE_INFINITY ? undefined : new RateLimit(throughput, nowMs, signal);
  const payloads = new RandomPayloads(recordSize);
  const acknowledged = new LatencyHistogram();
  const seen = new LatencyHistogram();
  const metrics = processMetrics();
  const progress = new Progress(options, context, () => `${seen.count} of ${numRecords - warmupRecords} records`);
  let beganMs = nowMs();
  let elapsedMs = 0;
  try {
    // The first one opens files, and starts the other process: it counts for nothing.
    for (let index = -1; index < numRecords && !signal.aborted; index++) {
      if (index === warmupRecords || index === 0) beganMs = nowMs();
      payloads.next(index + 1);
      const value = payloads.buffer.subarray(payloads.start, payloads.end);
      const sentMs = nowMs();
      limit?.take();
      const [ackedMs, seenMs] = await Promise.all([
        producer.sendAll([{ topic, value, partition: (index + 1) % partitions }]).then(nowMs),
        visible.seen(value),
      ]);
      if (Number.isNaN(seenMs)) break;
      if (index >= warmupRecords) {
        acknowledged.record(ackedMs - sentMs);
        seen.record(seenMs - sentMs);
        elapsedMs = nowMs() - beganMs;
      }
      await limit?.wait();
    }
  } finally {
    progress.stop();
  }
  const where = processes === 2 ? 'printed by klog consume -F in another process' : 'visible in a consumer';
  return {
    test: 'e2e',
    topic,
    partitions,
    records: seen.count,
    bytes: seen.count * recordSize,
    elapsedMs,
    warmupRecords,
    wasInterrupted: signal.aborted,
    settings: { acks, processes },
    latencies: [
      { name: 'acknowledged', meaning: `from sent to acknowledged by acks=${acks}`, latencies: acknowledged },
      { name: 'visible', meaning: `from sent to ${where}`, latencies: seen },
    ],
    metrics: options.printMetrics ? metrics() : undefined,
  };
}
