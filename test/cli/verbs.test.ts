import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { GROUP_VERBS } from '../../src/cli/commands/group.js';
import { LOG_VERBS } from '../../src/cli/commands/log.js';
import { PERF_VERBS } from '../../src/cli/commands/perf.js';
import { TOPIC_VERBS } from '../../src/cli/commands/topic.js';
import { defineVerbs, type VerbEntry } from '../../src/cli/verbs.js';
import { FakeContext, run } from './support/fake-context.js';

const host = { context: new FakeContext(), exitCode: 0 };

const NOUNS: Record<string, readonly VerbEntry[]> = {
  topic: TOPIC_VERBS,
  group: GROUP_VERBS,
  log: LOG_VERBS,
  perf: PERF_VERBS,
};

async function namesDeclared(verbs: readonly VerbEntry[], words: readonly string[]): Promise<string[]> {
  const noun = new Command('noun');
  await defineVerbs(noun, host, verbs, words);
  return noun.commands.flatMap((command) => [command.name(), ...command.aliases()]);
}

describe.each(Object.entries(NOUNS))('the verbs of %s', (noun, verbs) => {
  it.each(verbs.flatMap(({ names }) => names.map((name) => ({ name, names }))))(
    'are declared one at a time, by each of their names: $name',
    async ({ name, names }) => {
      expect(await namesDeclared(verbs, [name, '--help'])).toEqual(names);
      const { code, out } = await run(`${noun} ${name} --help`);
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`^Usage: klog ${noun} ${names[0]}\\b|^Usage: klog ${noun} ${name}\\b`));
    },
  );

  it('are all declared where the word behind the noun is none of them', async () => {
    const all = verbs.flatMap(({ names }) => names);
    const [first] = verbs[0]!.names;
    for (const words of [[], ['--help'], ['-d', first!], ['--', first!], ['lits']]) {
      expect(await namesDeclared(verbs, words)).toEqual(all);
    }
    const { out } = await run(`${noun} --help`);
    expect((await run(`${noun} -d ${first}`)).err).toBe(out);
  });
});
