import type { Admin, TopicDescription } from '../../clients/admin.js';
import { KlogError } from '../../errors.js';
import { ownConfigs } from '../own-configs.js';

/** The topic that records are written to again: made like the source if it is missing. */
export interface TargetTopic {
  readonly partitions: number;
  readonly created: boolean;
  /** As many partitions as the source: each record keeps its own. */
  readonly keepsPartitions: boolean;
}

export async function targetLike(
  admin: Admin,
  source: TopicDescription,
  target: string,
  options: { readonly dryRun: boolean },
): Promise<TargetTopic> {
  const existing = await describeIfThere(admin, target);
  if (existing !== undefined) {
    const { partitions } = existing;
    return { partitions, created: false, keepsPartitions: partitions === source.partitions };
  }
  const { partitions } = source;
  const like = { topic: target, partitions, configs: ownConfigs(source) };
  await admin.createTopic(like, { validateOnly: options.dryRun });
  return { partitions, created: true, keepsPartitions: true };
}

async function describeIfThere(admin: Admin, topic: string): Promise<TopicDescription | undefined> {
  try {
    return await admin.describeTopic(topic);
  } catch (error) {
    if (error instanceof KlogError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    throw error;
  }
}
