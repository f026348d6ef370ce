import type { Command } from 'commander';
import type { IsolationLevel } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import { setting } from '../settings.js';

export interface IsolationOptions {
  readonly isolationLevel?: string;
}

export function addIsolationOption(command: Command): void {
  command.option('--isolation-level <level>', 'read_committed or read_uncommitted (default: read_committed)');
}

/** The flag, else the setting. KLOG_USAGE for what is no level. */
export async function isolationLevelOf(options: IsolationOptions, context: CliContext): Promise<IsolationLevel> {
  return (await setting('isolation-level', options.isolationLevel, context, parseIsolationLevel)) ?? 'read_committed';
}

function parseIsolationLevel(level: string): IsolationLevel {
  if (level === 'read_committed' || level === 'read_uncommitted') return level;
  throw new KlogError('KLOG_USAGE', `'${level}' is no isolation level`, {
    hint: 'There are read_committed and read_uncommitted',
  });
}
