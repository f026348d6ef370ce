import type { Command } from 'commander';
import { type CommandHost, describeGroup } from '../command-host.js';
import { defineVerbs, type VerbEntry } from '../verbs.js';

export const GROUP_VERBS: readonly VerbEntry[] = [
  { names: ['list', 'ls'], load: async () => (await import('./group-list.js')).defineGroupList },
  { names: ['describe', 'info'], load: async () => (await import('./group-describe.js')).defineGroupDescribe },
  { names: ['seek', 'reset-offsets'], load: async () => (await import('./group-seek.js')).defineGroupSeek },
  { names: ['delete', 'rm'], load: async () => (await import('./group-delete.js')).defineGroupDelete },
  {
    names: ['delete-offsets', 'offset-delete'],
    load: async () => (await import('./group-delete-offsets.js')).defineGroupDeleteOffsets,
  },
  { names: ['copy', 'clone'], load: async () => (await import('./group-copy.js')).defineGroupCopy },
  { names: ['evict'], load: async () => (await import('./group-evict.js')).defineGroupEvict },
];

export async function defineGroup(group: Command, host: CommandHost, words: readonly string[]): Promise<void> {
  describeGroup(group);
  await defineVerbs(group, host, GROUP_VERBS, words);
}
