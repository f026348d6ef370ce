import type { Acks } from '../../clients/producer.js';
import { KlogError } from '../../errors.js';
import type { HelpSection } from '../command-host.js';

/** Kafka's names for the same. */
const ALIASES: Readonly<Record<string, Acks>> = { '-1': 'all', '1': 'written', '0': 'none' };
const ACKS: readonly string[] = ['all', 'written', 'none'] satisfies Acks[];

export function parseAcks(text: string): Acks {
  const acks = ALIASES[text] ?? text;
  if (ACKS.includes(acks)) return acks as Acks;
  throw new KlogError('KLOG_USAGE', `'${text}' is none of all, written, none (or -1, 1, 0)`);
}

/** What it means that a record was acknowledged, under each of them. */
export const ACKS_PROMISES: Readonly<Record<Acks, string>> = {
  all: 'every record is on disk: it survives a power loss (the default)',
  written: 'every record is written: it survives the death of klog, not that of the machine',
  none: 'nothing: records are handed over, and what fails later goes unnoticed',
};

const ALIAS_OF: Readonly<Record<Acks, string>> = { all: '-1', written: '1', none: '0' };

/** For the help of produce. */
export const ACKS_HELP: HelpSection = {
  title: 'What exit code 0 promises',
  rows: Object.entries(ACKS_PROMISES).map(([mode, promise]) => {
    const alias = `(also ${ALIAS_OF[mode as Acks]})`;
    return [`--acks ${mode.padEnd(8)} ${alias}`, promise] as const;
  }),
};

/** How a summary names records under each of them. */
export const ACKS_DONE: Readonly<Record<Acks, string>> = { all: 'durable', written: 'written', none: 'handed over' };
