import type { Command } from 'commander';
import { type CommandHost, describeGroup } from '../command-host.js';
import { defineLogCheck } from './log-check.js';
import { defineLogDump } from './log-dump.js';

export function defineLog(log: Command, host: CommandHost): void {
  describeGroup(log);
  defineLogDump(log, host);
  defineLogCheck(log, host);
}
