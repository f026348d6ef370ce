import type { Acks } from '../../clients/producer.js';
import { KlogError } from '../../errors.js';

/** Kafka's names for the same. */
const ALIASES: Readonly<Record<string, Acks>> = { '-1': 'all', '1': 'written', '0': 'none' };
const ACKS: readonly string[] = ['all', 'written', 'none'] satisfies Acks[];

export function parseAcks(text: string): Acks {
  const acks = ALIASES[text] ?? text;
  if (ACKS.includes(acks)) return acks as Acks;
  throw new KlogError('KLOG_USAGE', `'${text}' is none of all, written, none (or -1, 1, 0)`);
}

/** What each mode promises, for the help. */
export const ACKS_PROMISES = `
What exit code 0 promises:
  --acks all       (also -1, the default) every record is on disk: it survives a power loss
  --acks written   (also 1) every record is written: it survives the death of klog, not that of the machine
  --acks none      (also 0) nothing: records are handed over, and what fails later goes unnoticed`;

/** How a summary names records under each of them. */
export const ACKS_DONE: Readonly<Record<Acks, string>> = { all: 'durable', written: 'written', none: 'handed over' };
