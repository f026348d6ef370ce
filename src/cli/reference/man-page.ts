import type { Command, Option } from 'commander';
import { commandPath, examplesOf, helpSectionsOf } from '../command-host.js';
import { EXIT_CODES } from '../exit-code.js';

export interface ManPage {
  /** `klog-topic-create`. */
  readonly name: string;
  readonly markdown: string;
}

/** A page for klog itself and one for each command that runs something, as Markdown for marked-man. */
export function manPages(program: Command): ManPage[] {
  return [mainPage(program), ...leaves(program).map(leafPage)];
}

function leaves(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .flatMap((one) => (one.commands.length > 0 ? leaves(one) : [one]));
}

function mainPage(program: Command): ManPage {
  const commands = leaves(program).map((one) => item(`\`klog ${commandPath(one)}\``, one.summary()));
  const sections = [
    heading('klog', program.description().replace(/:.*$/s, '')),
    section('SYNOPSIS', '`klog` [*options*] *command* …'),
    section('DESCRIPTION', program.description()),
    section('COMMANDS', commands.join('\n')),
    section('OPTIONS', program.createHelp().visibleOptions(program).map(optionItem).join('\n')),
    examplesSection(program),
    section('ENVIRONMENT', ENVIRONMENT.map(([name, text]) => item(`\`${name}\``, text)).join('\n')),
    section('FILES', FILES.map(([name, text]) => item(`\`${name}\``, text)).join('\n')),
    section('EXIT STATUS', exitStatus()),
  ];
  return { name: 'klog', markdown: sections.filter((text) => text !== '').join('\n') };
}

function leafPage(command: Command): ManPage {
  const path = commandPath(command);
  const name = `klog-${path.replaceAll(' ', '-')}`;
  const sections = [
    heading(name, command.summary()),
    section('SYNOPSIS', `\`klog ${path}\` [*options*] ${operands(command)}`),
    section('DESCRIPTION', command.description()),
    section('OPERANDS', operandItems(command)),
    section('OPTIONS', command.createHelp().visibleOptions(command).map(optionItem).join('\n')),
    ...helpSectionsOf(command).map(({ title, rows }) =>
      section(title.toUpperCase(), rows.map(([written, meaning]) => item(`\`${written}\``, meaning)).join('\n')),
    ),
    examplesSection(command),
    section('SEE ALSO', '`klog`(1), which has the exit codes'),
  ];
  return { name, markdown: sections.filter((text) => text !== '').join('\n') };
}

const ENVIRONMENT = [
  ['KLOG_DIR', 'the directory of the log, unless -d is given'],
  ['KLOG_FORMAT', 'the format of records, unless -f is given'],
  ['KLOG_ACKS', 'what an acknowledgement promises, unless --acks is given'],
  ['KLOG_ISOLATION_LEVEL', 'which records are read, unless --isolation-level is given'],
  ['KLOG_DEBUG', '1: errors with their stack'],
  ['NO_COLOR, FORCE_COLOR', 'no colour on a terminal; colour anywhere'],
] as const;

const FILES = [
  ['.klog/', 'the log: the nearest one at or above the working directory, else made there by the first write'],
  [
    'klog.config.json, klog.config.yaml',
    'settings: dir, format, acks, isolation-level; found upward like the directory',
  ],
  ['~/.config/klog/config.yaml', 'settings, where those do not say'],
] as const;

function heading(name: string, summary: string): string {
  return `# ${name}(1) -- ${summary}\n`;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `## ${title}\n\n${body}\n`;
}

function item(term: string, text: string): string {
  return `* ${term}:\n  ${escapeMarkdown(text)}\n`;
}

function optionItem(option: Option): string {
  return item(`\`${option.flags}\``, option.description);
}

function operands(command: Command): string {
  return command.registeredArguments
    .map((argument) => {
      const name = `*${argument.name()}*${argument.variadic ? '…' : ''}`;
      return argument.required ? name : `[${name}]`;
    })
    .join(' ');
}

function operandItems(command: Command): string {
  return command.registeredArguments
    .filter(({ description }) => description !== '')
    .map((argument) => item(`*${argument.name()}*`, argument.description))
    .join('\n');
}

function examplesSection(command: Command): string {
  const texts = examplesOf(command).map((example) => `${escapeMarkdown(example.does)}\n\n    ${example.command}\n`);
  return section('EXAMPLES', texts.join('\n'));
}

function exitStatus(): string {
  const items = Object.entries(EXIT_CODES).map(([code, meaning]) => item(code, meaning));
  return [...items, item('128+n', 'ended by signal n')].join('\n');
}

/** What would be emphasis, a link or markup. */
function escapeMarkdown(text: string): string {
  return text.replace(/[*_`[\]<>\\]/g, (character) => `\\${character}`);
}
