import { RootCommand } from '@bomb.sh/tab';
import type { Command, Option } from 'commander';
import type { CliContext } from '../cli-context.js';
import { type CommandHost, commandPath } from '../command-host.js';
import { withClient } from '../open-client.js';
import { createProgram, defineAll } from '../program.js';
import { captureLog } from './capture-log.js';

/** Tells the shell to go on with its own completion of file names. */
const COMPLETE_FILES = ':0\n';

/** Operands and values by their names in the command tree. */
const TOPIC_NAMES = /^(topic|source|target|from|into)$/;
const FILE_VALUES = /<(file|dir|path)>/;

/** Commands whose operands are names that shall not exist yet. */
const NAMES_NEW_TOPICS: readonly string[] = ['topic create'];

/**
 * What a shell asks at Tab: `words` are those behind `klog`, the last one, perhaps empty, being completed. Answers with lines
 * of candidate, tab, description, and a last line that tells the shell what else to do.
 */
export async function complete(words: readonly string[], context: CliContext): Promise<string> {
  const host: CommandHost = { context, exitCode: 0 };
  const program = createProgram(host);
  await defineAll(program, host);
  const before = words.at(-2);
  if (before?.startsWith('-') && takesFile(program, words, before)) return COMPLETE_FILES;
  const topics = await topicNames(words, context);
  const root = new RootCommand();
  addOptions(root, program, topics);
  addCommands(root, program, topics);
  return captureLog(() => root.parse([...words]));
}

function addCommands(root: RootCommand, parent: Command, topics: readonly string[]): void {
  for (const command of parent.createHelp().visibleCommands(parent)) {
    const path = commandPath(command);
    const tabbed = root.command(path, command.summary());
    addOptions(tabbed, command, topics);
    for (const argument of command.registeredArguments) {
      const isTopic = TOPIC_NAMES.test(argument.name()) && !NAMES_NEW_TOPICS.includes(path);
      const candidates = argument.argChoices ?? (isTopic ? topics : []);
      tabbed.argument(argument.name(), candidatesOf(candidates), argument.variadic);
    }
    addCommands(root, command, topics);
  }
}

function addOptions(
  target: RootCommand | ReturnType<RootCommand['command']>,
  command: Command,
  topics: readonly string[],
): void {
  for (const option of command.createHelp().visibleOptions(command)) {
    const name = option.long?.slice(2);
    if (name === undefined) continue;
    const short = option.short?.slice(1);
    if (!option.required && !option.optional) target.option(name, option.description, short);
    else
      target.option(
        name,
        option.description,
        candidatesOf(option.argChoices ?? (isTopicValue(option) ? topics : [])),
        short,
      );
  }
}

function candidatesOf(values: readonly string[]): (complete: (value: string, description: string) => void) => void {
  return (complete) => {
    for (const value of values) complete(value, '');
  };
}

function isTopicValue(option: Option): boolean {
  return option.flags.includes('<topic>');
}

function takesFile(program: Command, words: readonly string[], flag: string): boolean {
  const [noun, verb] = words.filter((word) => !word.startsWith('-'));
  const command = program.commands.find((one) => one.name() === noun);
  const leaf = command?.commands.find((one) => one.name() === verb) ?? command ?? program;
  return [...program.options, ...leaf.options].some(
    (option) => (option.short === flag || option.long === flag) && FILE_VALUES.test(option.flags),
  );
}

/** Those of the directory that the line names so far. Completion never complains: where there is no log there are none. */
async function topicNames(words: readonly string[], context: CliContext): Promise<string[]> {
  const at = words.findIndex((word) => word === '-d' || word === '--dir');
  const dir = at >= 0 ? words[at + 1] : undefined;
  const options = { dir, json: false, quiet: true, verbose: false };
  try {
    const listings = await withClient(options, context, { topics: [] }, (client) => client.admin().listTopics());
    return listings.map(({ topic }) => topic);
  } catch {
    return [];
  }
}
