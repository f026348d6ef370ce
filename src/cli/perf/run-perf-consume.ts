import type { Client } from '../../clients/client.js';
import type { ConsumerOptions } from '../../clients/consumer.js';
import type { CliContext } from '../cli-context.js';
import { type IsolationOptions, isolationLevelOf } from '../consume/isolation-level.js';
import type { ExitCode } from '../exit-code.js';
import { counted } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { need } from '../option-errors.js';
import { Progress } from '../progress.js';
import { type IntervalOptions, IntervalReport } from './interval-report.js';
import { LatencyHistogram } from './latency-histogram.js';
import { RandomPayloads } from './payloads.js';
import { nowMs } from './perf-clock.js';
import { type PerfResult, printPerfResult, rounded } from './perf-report.js';
import { type PerfTopic, type PerfTopicOptions, withPerfTopic } from './perf-topic.js';
import { PerfWriter } from './perf-writer.js';
import { processMetrics } from './process-metrics.js';
import { DEFAULT_RECORD_BYTES, DEFAULT_RECORDS } from './run-perf-produce.js';

export interface PerfConsumeOptions extends PerfTopicOptions, IntervalOptions, IsolationOptions {
  readonly messages?: number;
  readonly recordSize?: number;
  readonly fromLatest?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  /** Bytes. */
  readonly fetchSize?: number;
  readonly printMetrics?: boolean;
}

/** Kafka's own. */
const LATEST_TIMEOUT_MS = 10_000;
const TURN_BYTES = 1024 * 1024;

export async function runPerfConsume(options: PerfConsumeOptions, context: CliContext): Promise<ExitCode> {
  const { topic } = options;
  if (topic === undefined && options.fromLatest) need('--from-latest', 'a topic that others write to');
  if (topic !== undefined && options.recordSize !== undefined)
    need('--record-size', 'a topic of its own: it fills one');
  if (topic !== undefined && options.partitions !== undefined) need('--partitions', 'a topic of its own: it fills one');
  const isolationLevel = await isolationLevelOf(options, context);
  const request = { create: topic === undefined, topics: topic === undefined ? [] : [topic] };
  return withClient<ExitCode>(options, context, request, async (client) => {
    const measure = async (of: PerfTopic): Promise<ExitCode> => {
      if (of.isOwn) await fill(client, of.topic, options, context);
      const result = await measureConsume(client, of, { ...options, isolationLevel }, context);
      await printPerfResult(result, options.json, context);
      return wasCutShort(result, options, context) ? 5 : 0;
    };
    if (topic === undefined) return withPerfTopic(client, options, context, measure);
    const { partitions } = await client.admin().describeTopic(topic);
    return measure({ topic, partitions, isOwn: false });
  });
}

/** What is to be read: not measured. */
async function fill(client: Client, topic: string, options: PerfConsumeOptions, context: CliContext): Promise<void> {
  const { messages = DEFAULT_RECORDS, recordSize = DEFAULT_RECORD_BYTES } = options;
  const progress = new Progress(options, context, () => `filling the topic: ${writer.records} of ${messages} records`);
  const producer = client.producer({ acks: 'written' });
  const writer = new PerfWriter({
    writer: await producer.writer(topic),
    payloads: new RandomPayloads(recordSize),
    records: messages,
    warmupRecords: 0,
    limit: undefined,
    turnBytes: TURN_BYTES,
    latencies: new LatencyHistogram(),
    signal: context.signals.signal,
    onProgress: () => {},
  });
  try {
    await writer.write();
    await producer.close();
  } finally {
    progress.stop();
  }
}

async function measureConsume(
  client: Client,
  { topic, partitions }: PerfTopic,
  options: PerfConsumeOptions & Pick<ConsumerOptions, 'isolationLevel'>,
  context: CliContext,
): Promise<PerfResult> {
  const { messages = Number.POSITIVE_INFINITY, fromLatest, fetchSize, isolationLevel } = options;
  const timeoutMs = options.timeout ?? (fromLatest ? LATEST_TIMEOUT_MS : undefined);
  const { signal } = context.signals;
  const waits = new LatencyHistogram();
  const intervals = new IntervalReport(options, context);
  const metrics = processMetrics();
  let records = 0;
  let bytes = 0;
  const progress = new Progress(options, context, () => counted(records, 'record'));
  const began = nowMs();
  let firstMs = Number.NaN;
  const consumer = client.consumer({
    topics: [topic],
    from: fromLatest ? 'end' : 'start',
    signal,
    ...(isolationLevel === undefined ? {} : { isolationLevel }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(fetchSize === undefined ? {} : { maxFetchBytes: fetchSize }),
  });
  // Waiting for what nobody has written yet is no part of the speed.
  let elapsedMs = 0;
  try {
    let asked = nowMs();
    for await (const { cursor } of consumer.batches()) {
      const had = nowMs();
      waits.record(had - asked);
      if (Number.isNaN(firstMs)) firstMs = had;
      while (records < messages && cursor.next()) {
        records++;
        bytes += cursor.keyEnd - cursor.keyStart + (cursor.valueEnd - cursor.valueStart);
      }
      asked = nowMs();
      elapsedMs = asked - (fromLatest ? firstMs : began);
      intervals.update(elapsedMs, records, bytes);
      if (records >= messages) break;
    }
  } finally {
    progress.stop();
    await consumer.close();
  }
  intervals.finish(elapsedMs, records, bytes);
  return {
    test: 'consume',
    topic,
    partitions,
    records,
    bytes,
    elapsedMs,
    warmupRecords: 0,
    wasInterrupted: signal.aborted,
    settings: { ...(Number.isNaN(firstMs) ? {} : { firstBatchMs: rounded(firstMs - began) }) },
    latencies: [{ name: 'batch', meaning: 'from asking for a batch to having it', latencies: waits }],
    intervals: options.json ? intervals.intervals : undefined,
    metrics: options.printMetrics ? { batches: waits.count, ...metrics() } : undefined,
  };
}

function wasCutShort(
  { records, wasInterrupted }: PerfResult,
  options: PerfConsumeOptions,
  context: CliContext,
): boolean {
  const { messages, fromLatest, timeout } = options;
  if (messages === undefined || records >= messages || wasInterrupted) return false;
  notice(options, context, `read ${counted(records, 'record')} of the ${messages} asked for`);
  return fromLatest === true || timeout !== undefined;
}
