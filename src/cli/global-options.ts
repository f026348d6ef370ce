import { type Command, Option } from 'commander';
import type { Loudness } from './notices.js';

/** What every command understands, before or after its name. */
export interface GlobalOptions extends Loudness {
  readonly dir?: string | undefined;
  readonly brokers?: string | undefined;
  readonly json: boolean;
  readonly allowNetworkFs?: boolean | undefined;
}

const HEADING = 'Global options:';

/** Adds them to a command. `json` may say more exactly what the command prints. */
export function addGlobalOptions(command: Command, json = 'machine-readable output; errors, too, are JSON'): void {
  const add = (flags: string, description: string) =>
    command.addOption(new Option(flags, description).helpGroup(HEADING));
  add('-d, --dir <dir>', 'the directory of the log (default: $KLOG_DIR, the nearest .klog, ./.klog)');
  add('-b, --brokers <list>', 'a Kafka cluster instead of a directory, HOST:PORT[,…]');
  add('--json', json);
  add('-q, --quiet', 'no notices, only errors');
  add('-v, --verbose', 'more notices');
  add('--allow-network-fs', 'a directory on NFS and the like, where neither locks nor syncs can be trusted');
  command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup(HEADING));
  for (const flags of ['--bootstrap-server <list>', '--bootstrap-servers <list>']) {
    const alias = new Option(flags).hideHelp();
    alias.attributeName = () => 'brokers';
    command.addOption(alias);
  }
}

/** Options of a command and of those above it; what stands nearest to the command wins. */
export function mergedOptions(command: Command): Record<string, unknown> & GlobalOptions {
  const chain: Command[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) chain.unshift(at);
  const merged: Record<string, unknown> = {};
  for (const at of chain) Object.assign(merged, at.opts());
  return {
    ...merged,
    quiet: merged.quiet === true,
    verbose: merged.verbose === true,
    json: merged.json === true,
  };
}
