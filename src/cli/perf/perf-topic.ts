import type { Client } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';
import type { CliContext } from '../cli-context.js';
import type { GlobalOptions } from '../global-options.js';
import { refuseInternal } from '../internal-topics.js';
import { counted } from '../listing.js';
import { notice } from '../notices.js';
import { exclude, need } from '../option-errors.js';

export interface PerfTopicOptions extends GlobalOptions {
  /** Undefined: one of the run's own. */
  readonly topic?: string | undefined;
  readonly topicOption?: string;
  readonly partitions?: number;
  readonly keep?: boolean;
}

/** The operand, or `--topic`. KLOG_USAGE before anything is opened or made. */
export function namedTopic(options: PerfTopicOptions, operand: string | undefined): string | undefined {
  if (operand !== undefined && options.topicOption !== undefined) exclude('the topic', '--topic');
  const topic = operand ?? options.topicOption;
  if (topic === undefined) return undefined;
  validateTopicName(topic);
  refuseInternal(topic, false, 'measure');
  if (options.keep) need('--keep', 'a topic of its own: leave the name out');
  return topic;
}

export interface PerfTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Made for this run, gone after it unless `--keep`. */
  readonly isOwn: boolean;
}

/**
 * The topic of a run: the one that is named, made if need be and never deleted; or one of its own, which goes whatever
 * happens, Ctrl-C included.
 */
export async function withPerfTopic<T>(
  client: Client,
  options: PerfTopicOptions,
  context: Pick<CliContext, 'stderr' | 'clock'>,
  use: (topic: PerfTopic) => Promise<T>,
): Promise<T> {
  const admin = client.admin();
  const { topic, partitions = 1 } = options;
  if (topic !== undefined) return use(await existing(client, topic, options, context));
  const own = `klog-perf-${process.pid}-${context.clock.now().toString(36)}`;
  await admin.createTopic({ topic: own, partitions });
  try {
    return await use({ topic: own, partitions, isOwn: true });
  } finally {
    if (options.keep) notice(options, context, `kept topic '${own}'`);
    else await admin.deleteTopic(own);
  }
}

async function existing(
  client: Client,
  topic: string,
  options: PerfTopicOptions,
  context: Pick<CliContext, 'stderr'>,
): Promise<PerfTopic> {
  const admin = client.admin();
  try {
    const listing = await admin.createTopic({ topic, partitions: options.partitions ?? 1 });
    notice(options, context, `created topic '${topic}' with ${counted(listing.partitions, 'partition')}`);
    return { topic, partitions: listing.partitions, isOwn: false };
  } catch (error) {
    if (!(error instanceof KlogError && error.code === 'TOPIC_ALREADY_EXISTS')) throw error;
  }
  const { partitions } = await admin.describeTopic(topic);
  if (options.partitions !== undefined && options.partitions !== partitions) {
    throw new KlogError('KLOG_USAGE', `topic '${topic}' has ${counted(partitions, 'partition')}`, {
      topic,
      hint: 'Leave --partitions out',
    });
  }
  return { topic, partitions, isOwn: false };
}
