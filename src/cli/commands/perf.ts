import type { Command } from 'commander';
import { type CommandHost, describeGroup } from '../command-host.js';
import { defineVerbs, type VerbEntry } from '../verbs.js';

export const PERF_VERBS: readonly VerbEntry[] = [
  { names: ['produce'], load: async () => (await import('./perf-produce.js')).definePerfProduce },
  { names: ['consume'], load: async () => (await import('./perf-consume.js')).definePerfConsume },
  { names: ['e2e'], load: async () => (await import('./perf-e2e.js')).definePerfE2e },
];

export async function definePerf(perf: Command, host: CommandHost, words: readonly string[]): Promise<void> {
  describeGroup(perf);
  await defineVerbs(perf, host, PERF_VERBS, words);
}
