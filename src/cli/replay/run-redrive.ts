import type { TopicDescription } from '../../clients/admin.js';
import type { Client } from '../../clients/client.js';
import type { ConsumerOptions } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import { isInternalTopic, validateTopicName } from '../../format/topic-name.js';
import { OffsetSet } from '../../replay/offset-set.js';
import { originsIn } from '../../replay/origins-in.js';
import { type RedriveCounts, type RedriveOptions, redrive } from '../../replay/redrive.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import { counted, printJson } from '../listing.js';
import { type Loudness, notice } from '../notices.js';
import { escapeLine } from '../terminal-text.js';
import type { ReplaySource } from './replay-into.js';
import { batchFilter } from './transfer-options.js';

export interface RedriveCommandOptions extends Loudness {
  readonly topic: string;
  readonly toHeader: readonly string[];
  readonly maxRedrives?: number;
  readonly resume?: boolean;
  readonly maxMessages?: number;
  readonly dryRun?: boolean;
  readonly json: boolean;
}

const DEFAULT_MAX_REDRIVES = 3;

/** Each record back to the topic that its headers say it came from. KLOG_INCOMPLETE when some had to stay. */
export async function runRedrive(
  { client, range, filter, wait }: ReplaySource,
  options: RedriveCommandOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { topic, dryRun = false, maxMessages } = options;
  const source = await client.admin().describeTopic(topic);
  const shared: RedriveOptions = {
    topicId: source.topicId,
    toHeaders: options.toHeader,
    maxRedrives: options.maxRedrives ?? DEFAULT_MAX_REDRIVES,
    lookUp: (target) => lookUp(client, target),
    filter: batchFilter(filter),
    signal: range.signal,
  };
  const done = options.resume === true ? await sentBefore(client, range, shared, source) : new OffsetSet();
  const producer = dryRun ? undefined : client.producer();
  const consumer = client.consumer(range);
  let counts: RedriveCounts;
  try {
    counts = await redrive(consumer.batches(), producer, {
      ...shared,
      isDone: ({ partition }, offset) => done.has(partition, offset),
      before: dryRun ? undefined : (cursor) => wait(cursor),
      maxRecords: maxMessages,
      onStayed: ({ partition, offset, reason }) =>
        notice(options, context, `${topic}:${partition}@${offset} ${dryRun ? 'would stay' : 'stays'}: ${reason}`),
    });
  } finally {
    await consumer.close();
    await producer?.close();
  }
  // A part of a plan would say too little.
  if (dryRun && range.signal?.aborted) return 0;
  tell(counts, options, context);
  if (counts.stayed === 0) return 0;
  const stayed = `${counted(counts.stayed, 'record')} of '${topic}' ${dryRun ? 'would stay' : 'stayed'}`;
  throw new KlogError('KLOG_INCOMPLETE', `${stayed}: they cannot be sent back`, { topic });
}

function tell({ records, targets, stayed }: RedriveCounts, options: RedriveCommandOptions, context: CliContext): void {
  const { topic, dryRun = false, json } = options;
  const each = [...targets].map(([target, count]) => ({ topic: target, records: count }));
  if (json) {
    printJson(context, { source: topic, records, targets: each, stayed, ...(dryRun ? { dryRun } : {}) });
    return;
  }
  const verb = dryRun ? 'would send' : 'sent';
  const summary = `${verb} ${counted(records, 'record')} of '${topic}' back`;
  // What would be done is what was asked for; what was done is a notice, as of all commands.
  const print = (line: string) =>
    dryRun ? context.stdout.appendText(`${escapeLine(line)}\n`) : notice(options, context, line);
  print(summary);
  for (const { topic: target, records: count } of each) print(`to '${target}': ${counted(count, 'record')}`);
}

async function lookUp(client: Client, topic: string): Promise<number | string> {
  try {
    validateTopicName(topic);
    // Headers are data: they do not get to choose klog's own books.
    if (isInternalTopic(topic)) return `'${topic}' is an internal topic`;
    return (await client.admin().describeTopic(topic)).partitions;
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
    if (error.code !== 'UNKNOWN_TOPIC_OR_PARTITION' && error.code !== 'INVALID_TOPIC_EXCEPTION') throw error;
    return `there is no topic '${topic}'`;
  }
}

/** The places in `source` whose records the topics have already that they go back to. */
async function sentBefore(
  client: Client,
  range: ConsumerOptions,
  options: RedriveOptions,
  source: TopicDescription,
): Promise<OffsetSet> {
  const planning = client.consumer(range);
  let targets: string[];
  try {
    targets = [...(await redrive(planning.batches(), undefined, options)).targets.keys()];
  } finally {
    await planning.close();
  }
  const sent = new OffsetSet();
  if (targets.length === 0) return sent;
  for await (const { partition, offset } of originsIn(client, targets, source, range)) sent.add(partition, offset);
  return sent;
}
