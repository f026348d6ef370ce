import { Command } from 'commander';
import { type CommandHost, explainErrors, refuseHelpOfUnknown, showExamples } from './command-host.js';
import { EXIT_CODES } from './exit-code.js';
import { addGlobalOptions } from './global-options.js';
import { VERSION } from './version.js';

/**
 * Declares a command's options, operands and verbs. Loaded when the command is named; `words` are those behind its
 * name.
 */
export type DefineCommand = (command: Command, host: CommandHost, words: readonly string[]) => Promise<void> | void;

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<DefineCommand>;
}

/**
 * The whole first level of the tree, in the order of the help. Only names stand here, so that a start pays for the one
 * command it runs; everything else about a command is in its own file.
 */
const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'topic',
    summary: 'create, list, describe, alter and delete topics',
    load: async () => (await import('./commands/topic.js')).defineTopic,
  },
  {
    name: 'completion',
    summary: 'print the script that completes commands, flags and topics',
    load: async () => (await import('./commands/completion.js')).defineCompletion,
  },
  {
    name: 'produce',
    summary: 'write records to a topic',
    load: async () => (await import('./commands/produce.js')).defineProduce,
  },
  {
    name: 'consume',
    summary: 'print the records of topics',
    load: async () => (await import('./commands/consume.js')).defineConsume,
  },
  {
    name: 'tail',
    summary: 'print the last records, and follow',
    load: async () => (await import('./commands/tail.js')).defineTail,
  },
  {
    name: 'get',
    summary: 'print one record',
    load: async () => (await import('./commands/get.js')).defineGet,
  },
  {
    name: 'replay',
    summary: 'go through a range of records again',
    load: async () => (await import('./commands/replay.js')).defineReplay,
  },
  {
    name: 'group',
    summary: 'list, describe, move and delete consumer groups',
    load: async () => (await import('./commands/group.js')).defineGroup,
  },
  {
    name: 'wait',
    summary: 'wait until a topic has what is asked for',
    load: async () => (await import('./commands/wait.js')).defineWait,
  },
  {
    name: 'expect',
    summary: 'hold the records of a topic against what is expected',
    load: async () => (await import('./commands/expect.js')).defineExpect,
  },
  {
    name: 'copy',
    summary: 'copy a topic into another',
    load: async () => (await import('./commands/copy.js')).defineCopy,
  },
  {
    name: 'export',
    summary: 'write topics with all their records into one archive file',
    load: async () => (await import('./commands/export.js')).defineExport,
  },
  {
    name: 'import',
    summary: 'make topics from an archive of klog export',
    load: async () => (await import('./commands/import.js')).defineImport,
  },
  {
    name: 'erase',
    summary: 'erase single records for good',
    load: async () => (await import('./commands/erase.js')).defineErase,
  },
  {
    name: 'log',
    summary: "look at a log's files, offline",
    load: async () => (await import('./commands/log.js')).defineLog,
  },
  {
    name: 'doctor',
    summary: 'check the machine and the log',
    load: async () => (await import('./commands/doctor.js')).defineDoctor,
  },
  {
    name: 'perf',
    summary: 'measure how fast this machine writes and reads records',
    load: async () => (await import('./commands/perf.js')).definePerf,
  },
];

const defined = new WeakSet<Command>();
const entries = new WeakMap<Command, CommandEntry>();

/**
 * The command tree: the one truth that help, completions and manual pages are rendered from. `words` are the command
 * line: where the first of them is a command, the tree has no other.
 */
export function createProgram(host: CommandHost, words: readonly string[] = []): Command {
  const program = new Command('klog')
    .description(
      "Kafka's whole workflow without a broker: topics, produce, consume, tail and replay on a plain directory in Kafka's own format.",
    )
    .usage('[options] <command>')
    .enablePositionalOptions()
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false })
    .version(VERSION, '--version', 'show the version');
  program.configureOutput({
    writeOut: (text) => {
      host.context.stdout.appendText(text);
    },
    writeErr: (text) => host.context.stderr.write(text),
    outputError: () => {},
    getOutHelpWidth: () => host.context.stdout.columns ?? 100,
    getErrHelpWidth: () => host.context.stderr.columns ?? 100,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  addGlobalOptions(program);
  explainErrors(program);
  refuseHelpOfUnknown(program);
  const named = COMMANDS.find(({ name }) => name === words[0]);
  for (const entry of named === undefined ? COMMANDS : [named]) {
    const command = program.command(entry.name).summary(entry.summary).description(entry.summary);
    entries.set(command, entry);
  }
  program.addHelpText('after', exitCodeText);
  showExamples(program, [
    { command: 'seq 1 3 | klog produce numbers', does: 'three records into a topic, made on first use' },
    { command: 'klog consume numbers', does: 'its records, from the start to the end' },
    { command: 'klog tail -f numbers', does: 'the last ten, and what comes' },
    { command: 'klog topic list', does: 'all topics' },
  ]);
  program.hook('preSubcommand', (_, command) => defineCommand(command, host, program.args.slice(1)));
  return program;
}

/** Declares one command of the first level, if that has not been done yet. */
async function defineCommand(command: Command, host: CommandHost, words: readonly string[]): Promise<void> {
  const entry = entries.get(command);
  if (entry === undefined || defined.has(command)) return;
  defined.add(command);
  const define = await entry.load();
  await define(command, host, words);
}

/** Declares all of them: for completions and manual pages. */
export async function defineAll(program: Command, host: CommandHost): Promise<void> {
  for (const command of program.commands) await defineCommand(command, host, []);
}

function exitCodeText(): string {
  const lines = Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code.padEnd(6)}${meaning}`);
  return `\nExit codes:\n${lines.join('\n')}\n  ${'128+n'.padEnd(6)}ended by signal n`;
}
