import type { Command } from 'commander';
import { type CommandHost, describeGroup } from '../command-host.js';
import { definePerfConsume } from './perf-consume.js';
import { definePerfE2e } from './perf-e2e.js';
import { definePerfProduce } from './perf-produce.js';

export function definePerf(perf: Command, host: CommandHost): void {
  describeGroup(perf);
  definePerfProduce(perf, host);
  definePerfConsume(perf, host);
  definePerfE2e(perf, host);
}
