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
const GROUP_NAMES = /^group$/;
/** Groups, although they are called as topics are elsewhere. */
const COPIES_GROUPS = 'group copy';
const FILE_VALUES = /<(file|dir|path)>/;

/** Commands whose operands are names that shall not exist yet. */
const NAMES_NEW_TOPICS: readonly string[] = ['topic create'];

/**
 * What a shell asks at Tab: `words` are those behind `klog`, the last one, perhaps empty, being completed. Answers with
 * lines of candidate, tab, description, and a last line that tells the shell what else to do.
 */
export async function complete(words: readonly string[], context: CliContext): Promise<string> {
  const host: CommandHost = { context, exitCode: 0 };
  const program = createProgram(host);
  await defineAll(program, host);
  const before = words.at(-2);
  if (before?.startsWith('-') && takesFile(program, words, before)) return COMPLETE_FILES;
  const names = await namesFor(words, context);
  const root = new RootCommand();
  addOptions(root, program, names);
  addCommands(root, program, names);
  return captureLog(() => root.parse([...words]));
}

/** What there is in the directory that the line names so far. */
interface Names {
  readonly topics: readonly string[];
  /** Looked up only where one may come next. */
  readonly groups: readonly string[];
}

function addCommands(root: RootCommand, parent: Command, names: Names): void {
  for (const command of parent.createHelp().visibleCommands(parent)) {
    const path = commandPath(command);
    const tabbed = root.command(path, command.summary());
    addOptions(tabbed, command, names);
    for (const argument of command.registeredArguments) {
      const candidates = argument.argChoices ?? operandsOf(path, argument.name(), names);
      tabbed.argument(argument.name(), candidatesOf(candidates), argument.variadic);
    }
    addCommands(root, command, names);
  }
}

function operandsOf(path: string, name: string, { topics, groups }: Names): readonly string[] {
  if (GROUP_NAMES.test(name) || (path === COPIES_GROUPS && name !== 'topic')) return groups;
  return TOPIC_NAMES.test(name) && !NAMES_NEW_TOPICS.includes(path) ? topics : [];
}

function addOptions(target: RootCommand | ReturnType<RootCommand['command']>, command: Command, names: Names): void {
  for (const option of command.createHelp().visibleOptions(command)) {
    const name = option.long?.slice(2);
    if (name === undefined) continue;
    const short = option.short?.slice(1);
    if (!option.required && !option.optional) target.option(name, option.description, short);
    else target.option(name, option.description, candidatesOf(option.argChoices ?? valuesOf(option, names)), short);
  }
}

function candidatesOf(values: readonly string[]): (complete: (value: string, description: string) => void) => void {
  return (complete) => {
    for (const value of values) complete(value, '');
  };
}

function valuesOf({ flags }: Option, { topics, groups }: Names): readonly string[] {
  if (flags.includes('<group>')) return groups;
  return flags.includes('<topic>') ? topics : [];
}

function takesFile(program: Command, words: readonly string[], flag: string): boolean {
  const [noun, verb] = words.filter((word) => !word.startsWith('-'));
  const command = program.commands.find((one) => one.name() === noun);
  const leaf = command?.commands.find((one) => one.name() === verb) ?? command ?? program;
  return [...program.options, ...leaf.options].some(
    (option) => (option.short === flag || option.long === flag) && FILE_VALUES.test(option.flags),
  );
}

/** Completion never complains: where there is no log there are none. */
async function namesFor(words: readonly string[], context: CliContext): Promise<Names> {
  const at = words.findIndex((word) => word === '-d' || word === '--dir');
  const dir = at >= 0 ? words[at + 1] : undefined;
  const options = { dir, json: false, quiet: true, verbose: false };
  const wantsGroups = words.includes('group') || /^(-g|--group|--from-group)$/.test(words.at(-2) ?? '');
  try {
    return await withClient(options, context, { topics: [] }, async (client) => {
      const admin = client.admin();
      const topics = (await admin.listTopics()).map(({ topic }) => topic);
      const groups = wantsGroups ? (await admin.listGroups()).map(({ groupId }) => groupId) : [];
      return { topics, groups };
    });
  } catch {
    return { topics: [], groups: [] };
  }
}
