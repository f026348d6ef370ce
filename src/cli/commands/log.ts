import type { Command } from 'commander';
import { type CommandHost, describeGroup } from '../command-host.js';
import { defineVerbs, type VerbEntry } from '../verbs.js';

export const LOG_VERBS: readonly VerbEntry[] = [
  { names: ['dump'], load: async () => (await import('./log-dump.js')).defineLogDump },
  { names: ['check'], load: async () => (await import('./log-check.js')).defineLogCheck },
  { names: ['repair'], load: async () => (await import('./log-repair.js')).defineLogRepair },
  { names: ['stats'], load: async () => (await import('./log-stats.js')).defineLogStats },
  { names: ['du'], load: async () => (await import('./log-du.js')).defineLogDu },
];

export async function defineLog(log: Command, host: CommandHost, words: readonly string[]): Promise<void> {
  describeGroup(log);
  await defineVerbs(log, host, LOG_VERBS, words);
}
