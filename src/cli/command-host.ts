import { type Command, type CommanderError, Option } from 'commander';
import { KlogError } from '../errors.js';
import type { CliContext } from './cli-context.js';
import type { ExitCode } from './exit-code.js';
import { addGlobalOptions, type GlobalOptions, mergedOptions } from './global-options.js';
import { namingOption } from './option-errors.js';

export interface Example {
  readonly command: string;
  readonly does: string;
}

export interface LeafDescription {
  readonly summary: string;
  /** More than the summary: what a reader of the manual wants to know. Paragraphs are separated by empty lines. */
  readonly description?: string;
  readonly examples: readonly Example[];
  /** What `--json` prints. */
  readonly json?: string;
}

/** What a command definition works with: the context, and where the exit code goes. */
export interface CommandHost {
  readonly context: CliContext;
  exitCode: number;
}

/** What help and manual show behind the options: what a user may write, and what it means. */
export interface HelpSection {
  readonly title: string;
  readonly rows: readonly (readonly [written: string, meaning: string])[];
}

const examplesByCommand = new WeakMap<Command, readonly Example[]>();
const sectionsByCommand = new WeakMap<Command, HelpSection[]>();
const jsonByCommand = new WeakMap<Command, string>();

export function examplesOf(command: Command): readonly Example[] {
  return examplesByCommand.get(command) ?? [];
}

export function helpSectionsOf(command: Command): readonly HelpSection[] {
  return sectionsByCommand.get(command) ?? [];
}

/** The words a user types: `topic create`. Empty for the program itself. */
export function commandPath(command: Command): string {
  const names: string[] = [];
  for (let at = command; at.parent !== null; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}

/** Dresses a command that runs something: description, examples, errors in klog's words. Its options come next. */
export function describeCommand(command: Command, description: LeafDescription): Command {
  command.summary(description.summary);
  command.description(description.description ?? sentence(description.summary));
  if (description.json !== undefined) jsonByCommand.set(command, description.json);
  explainErrors(command);
  showExamples(command, description.examples);
  return command;
}

/** Dresses a noun, whose verbs come next. */
export function describeGroup(command: Command): void {
  command.enablePositionalOptions().helpCommand(false).usage('<command>');
  addGlobalOptions(command);
  explainErrors(command);
  refuseHelpOfUnknown(command);
}

export function showExamples(command: Command, examples: readonly Example[]): void {
  examplesByCommand.set(command, examples);
  if (examples.length === 0) return;
  command.addHelpText('after', () => {
    const lines = examples.map(({ command: line, does }) => `  # ${does}\n  ${line}`);
    return `\nExamples:\n${lines.join('\n')}`;
  });
}

export function addHelpSection(command: Command, section: HelpSection): void {
  sectionsByCommand.set(command, [...helpSectionsOf(command), section]);
  const width = Math.max(...section.rows.map(([written]) => written.length));
  const lines = section.rows.map(([written, meaning]) => `  ${written.padEnd(width)}  ${meaning}`);
  command.addHelpText('after', ['', `${section.title}:`, ...lines].join('\n'));
}

/**
 * Binds what a command does, once its own options are declared, and adds the global ones. `options` are those of the
 * command and the global ones, merged; what the handler returns is the exit code, nothing is 0.
 */
export function onAction<Options>(
  command: Command,
  host: CommandHost,
  handler: (options: Options & GlobalOptions, operands: readonly unknown[]) => Promise<ExitCode | undefined>,
): void {
  addGlobalOptions(command, jsonByCommand.get(command));
  command.action(async (...args: unknown[]) => {
    // Commander passes the operands, then the options, then the command.
    const operands = args.slice(0, -2);
    host.exitCode = (await handler(mergedOptions(command) as Options & GlobalOptions, operands)) ?? 0;
  });
}

/** An option whose value is parsed; a failure names the option. (Commander takes `undefined` for an empty text.) */
export function valueOption<T extends NonNullable<unknown>>(
  flags: string,
  description: string,
  parse: (text: string, previous: T | undefined) => T,
) {
  const option = new Option(flags, description);
  return option.argParser((text: string, previous: T | undefined) =>
    namingOption(option.long ?? option.short ?? flags, () => parse(text, previous)),
  );
}

/** Collects an option that may be given several times. */
export function repeatable<T>(parse: (text: string) => T): (text: string, previous: readonly T[] | undefined) => T[] {
  return (text, previous) => [...(previous ?? []), parse(text)];
}

/** Another tool's name for an option: understood, but not shown. */
export function addHiddenAliases(command: Command, target: Option, ...flags: readonly string[]): void {
  for (const flag of flags) {
    const alias = new Option(flag).hideHelp();
    alias.parseArg = target.parseArg as NonNullable<Option['parseArg']>;
    alias.attributeName = () => target.attributeName();
    command.addOption(alias);
  }
}

/** Another tool's flags that stand for a flag of this command. */
export function addHiddenFlags(command: Command, attribute: string, ...flags: readonly string[]): void {
  for (const flag of flags) {
    const alias = new Option(flag).hideHelp();
    // Commander would read `--no-x` as the denial of `x`.
    alias.negate = false;
    alias.attributeName = () => attribute;
    command.addOption(alias);
  }
}

/** Turns commander's errors into klog's: one line, what the user may try, exit code 2. */
export function explainErrors(command: Command): void {
  command.exitOverride((error) => {
    throw isUsageError(error) ? usageError(command, error) : error;
  });
}

/**
 * `klog lits --help` and `klog help lits` ask about a command that is not there: commander would show the help above
 * it.
 */
export function refuseHelpOfUnknown(command: Command): void {
  command.on('beforeHelp', () => {
    const [name] = command.args;
    if (name === undefined || name.startsWith('-')) return;
    // Without --help it is refused as ever.
    command.parse([name], { from: 'user' });
  });
}

function isUsageError(error: CommanderError): boolean {
  return !['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code);
}

function usageError(command: Command, error: CommanderError): KlogError {
  const [first = '', ...others] = error.message.replace(/^error: /, '').split('\n');
  const path = commandPath(command);
  const suggestion = others.join(' ').replace(/^\(|\)$/g, '');
  const help = `See '${path === '' ? 'klog' : `klog ${path}`} --help'`;
  return new KlogError('KLOG_USAGE', path === '' ? first : `${path}: ${first}`, {
    hint: suggestion === '' ? help : suggestion,
    cause: error,
  });
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
