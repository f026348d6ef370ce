import type { Command } from 'commander';
import { type CommandHost, describeGroup } from '../command-host.js';
import { defineVerbs, type VerbEntry } from '../verbs.js';

export const TOPIC_VERBS: readonly VerbEntry[] = [
  { names: ['create'], load: async () => (await import('./topic-create.js')).defineTopicCreate },
  { names: ['list', 'ls'], load: async () => (await import('./topic-list.js')).defineTopicList },
  { names: ['describe', 'info'], load: async () => (await import('./topic-describe.js')).defineTopicDescribe },
  { names: ['alter', 'alter-config'], load: async () => (await import('./topic-alter.js')).defineTopicAlter },
  { names: ['delete', 'rm'], load: async () => (await import('./topic-delete.js')).defineTopicDelete },
  { names: ['offsets'], load: async () => (await import('./topic-offsets.js')).defineTopicOffsets },
  { names: ['apply'], load: async () => (await import('./topic-apply.js')).defineTopicApply },
  { names: ['clone'], load: async () => (await import('./topic-clone.js')).defineTopicClone },
  {
    names: ['trim', 'trim-prefix', 'delete-records'],
    load: async () => (await import('./topic-trim.js')).defineTopicTrim,
  },
  { names: ['compact'], load: async () => (await import('./topic-compact.js')).defineTopicCompact },
  // rpk's names, for fingers that know them.
  {
    names: ['consume'],
    load: async () => {
      const { defineConsume } = await import('./consume.js');
      return (noun, host) => defineConsume(noun.command('consume', { hidden: true }), host);
    },
  },
  {
    names: ['produce'],
    load: async () => {
      const { defineProduce } = await import('./produce.js');
      return (noun, host) => defineProduce(noun.command('produce', { hidden: true }), host);
    },
  },
];

export async function defineTopic(topic: Command, host: CommandHost, words: readonly string[]): Promise<void> {
  describeGroup(topic);
  await defineVerbs(topic, host, TOPIC_VERBS, words);
}
