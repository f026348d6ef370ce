import type { Command } from 'commander';
import type { CommandHost } from './command-host.js';

/** Declares a verb below its noun: its names, operands and options. */
export type DefineVerb = (noun: Command, host: CommandHost) => void;

export interface VerbEntry {
  /** All that it may be called by. */
  readonly names: readonly string[];
  load(): Promise<DefineVerb>;
}

/**
 * Declares a noun's verbs, in the order of its help. `words` are those behind the noun: where the first of them is a
 * verb, that one alone will be asked for, and a start does not pay for the others.
 */
export async function defineVerbs(
  noun: Command,
  host: CommandHost,
  verbs: readonly VerbEntry[],
  words: readonly string[],
): Promise<void> {
  const named = verbs.find(({ names }) => names.includes(words[0] ?? ''));
  for (const verb of named === undefined ? verbs : [named]) {
    const define = await verb.load();
    define(noun, host);
  }
}
