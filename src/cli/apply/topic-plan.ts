import type { Admin, ConfigChange, TopicConfigs, TopicDescription } from '../../clients/admin.js';
import { KlogError } from '../../errors.js';
import { type ConfigDifference, configDifferences, shortensRetention } from '../commands/config-differences.js';
import { counted } from '../listing.js';
import { ownConfigs } from '../own-configs.js';
import type { DeclaredTopic } from './declared-topics.js';

/** What is to be done about one topic. */
export interface TopicPlan {
  readonly topic: string;
  readonly action: 'create' | 'change' | 'unchanged' | 'delete';
  /** Afterwards; of a topic to be deleted, now. */
  readonly partitions: number;
  /** Now; 0: there is none. */
  readonly partitionsBefore: number;
  readonly configs: readonly ConfigDifference[];
  readonly shortensRetention: boolean;
  apply(admin: Admin): Promise<void>;
}

/** Checks everything that can be checked before anything is changed. */
export async function planTopics(
  admin: Admin,
  declared: readonly DeclaredTopic[],
  options: { readonly prune: boolean },
): Promise<TopicPlan[]> {
  const listings = await admin.listTopics({ internal: true });
  const existing = new Set(listings.map(({ topic }) => topic));
  const plans: TopicPlan[] = [];
  for (const topic of declared) {
    if (existing.has(topic.name)) plans.push(await planChange(admin, topic));
    else {
      await admin.createTopic(newTopic(topic), { validateOnly: true });
      plans.push(planCreate(topic));
    }
  }
  if (!options.prune) return plans;
  const names = new Set(declared.map(({ name }) => name));
  const others = listings.filter(({ topic, internal }) => !internal && !names.has(topic));
  return [...plans, ...others.map(({ topic, partitions }) => planDelete(topic, partitions))];
}

export function planCreate(topic: DeclaredTopic): TopicPlan {
  const configs = Object.entries(topic.configs ?? {}).map(([name, to]) => ({ name, from: 'default', to }));
  return {
    topic: topic.name,
    action: 'create',
    partitions: topic.partitions ?? 1,
    partitionsBefore: 0,
    configs,
    shortensRetention: false,
    apply: async (admin) => {
      await admin.createTopic(newTopic(topic));
    },
  };
}

async function planChange(admin: Admin, { name: topic, ...declared }: DeclaredTopic): Promise<TopicPlan> {
  const before = await admin.describeTopic(topic);
  const partitions = declared.partitions ?? before.partitions;
  if (partitions < before.partitions) {
    const message = `topic '${topic}' has ${counted(before.partitions, 'partition')}, ${partitions} are declared`;
    throw new KlogError('INVALID_PARTITIONS', message, { topic, hint: 'Partitions can be added, never taken away' });
  }
  const grows = partitions > before.partitions;
  if (grows) await admin.createPartitions(topic, partitions, { validateOnly: true });
  const change = configChange(before, declared.configs);
  const after = change === undefined ? undefined : await admin.alterConfigs(topic, change, { validateOnly: true });
  const configs = after === undefined ? [] : configDifferences(before.configs, after);
  return {
    topic,
    action: grows || configs.length > 0 ? 'change' : 'unchanged',
    partitions,
    partitionsBefore: before.partitions,
    configs,
    shortensRetention: after !== undefined && shortensRetention(before.configs, after),
    apply: async () => {
      if (change !== undefined && configs.length > 0) await admin.alterConfigs(topic, change);
      if (grows) await admin.createPartitions(topic, partitions);
    },
  };
}

function planDelete(topic: string, partitions: number): TopicPlan {
  return {
    topic,
    action: 'delete',
    partitions,
    partitionsBefore: partitions,
    configs: [],
    shortensRetention: false,
    apply: (admin) => admin.deleteTopic(topic),
  };
}

/** From the configs that are set to exactly those declared. */
function configChange(before: TopicDescription, declared: TopicConfigs | undefined): ConfigChange | undefined {
  if (declared === undefined) return undefined;
  const undeclared = Object.keys(ownConfigs(before)).filter((name) => !Object.hasOwn(declared, name));
  return { set: declared, delete: undeclared };
}

function newTopic({ name: topic, partitions, configs }: DeclaredTopic) {
  return {
    topic,
    ...(partitions === undefined ? {} : { partitions }),
    ...(configs === undefined ? {} : { configs }),
  };
}
