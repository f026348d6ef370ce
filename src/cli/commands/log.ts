import type { Command } from 'commander';
import { type CommandHost, describeGroup } from '../command-host.js';
import { defineLogCheck } from './log-check.js';
import { defineLogDu } from './log-du.js';
import { defineLogDump } from './log-dump.js';
import { defineLogRepair } from './log-repair.js';
import { defineLogStats } from './log-stats.js';

export function defineLog(log: Command, host: CommandHost): void {
  describeGroup(log);
  defineLogDump(log, host);
  defineLogCheck(log, host);
  defineLogRepair(log, host);
  defineLogStats(log, host);
  defineLogDu(log, host);
}
