import { CommanderError } from 'commander';
import { mayLackBytes, recoverArguments } from './argument-bytes.js';
import { type CliContext, ProcessContext } from './cli-context.js';
import type { CommandHost } from './command-host.js';
import { exitCodeOf } from './exit-code.js';
import { createProgram } from './program.js';
import { reportError } from './report-error.js';
import { signalExitCode } from './signals.js';

/** Runs one command line to its end, output written, errors reported. Answers with the exit code. */
export async function runCommandLine(args: readonly string[], context: CliContext): Promise<number> {
  const host: CommandHost = { context, exitCode: 0 };
  let failure: unknown;
  try {
    await runCommand(args, host);
  } catch (error) {
    // Help and version are shown by then; help that nobody asked for stands for a missing command.
    if (error instanceof CommanderError) host.exitCode = error.code === 'commander.help' ? 2 : error.exitCode;
    else failure = error;
  }
  try {
    // What was printed before a failure comes before its report.
    await context.stdout.flush();
  } catch (error) {
    failure ??= error;
  }
  if (failure !== undefined) {
    context.stderr.write(reportError(failure, { json: wantsJson(args), debug: context.env.KLOG_DEBUG === '1' }));
    host.exitCode = exitCodeOf(failure);
  }
  const { received } = context.signals;
  return received === undefined ? host.exitCode : signalExitCode(received);
}

async function runCommand(args: readonly string[], host: CommandHost): Promise<void> {
  const words = mayLackBytes(args) ? recoverArguments(args, host.context.commandLine?.()) : args;
  if (words[0] === 'complete') {
    await completeWords(words.slice(1), host.context);
    return;
  }
  const readable = readableArguments(words);
  await createProgram(host, readable).parseAsync(readable, { from: 'user' });
}

/** Also where the flags could not be parsed. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

/** `klog help topic create` is `klog topic create --help`. */
function readableArguments(args: readonly string[]): string[] {
  return args[0] === 'help' ? [...args.slice(1), '--help'] : [...args];
}

/** Asked by the completion scripts, `complete -- WORD…`; no command of the tree. */
async function completeWords(args: readonly string[], context: CliContext): Promise<void> {
  const { complete } = await import('./reference/complete.js');
  const words = args[0] === '--' ? args.slice(1) : args;
  context.stdout.appendText(await complete(words.length === 0 ? [''] : words, context));
}

/** The process's own main: everything is written when it exits. */
export async function main(): Promise<void> {
  const context = new ProcessContext();
  const onCrash = (error: unknown) => {
    context.stderr.write(reportError(error, { json: false, debug: context.env.KLOG_DEBUG === '1' }));
    process.exit(1);
  };
  process.on('uncaughtException', onCrash);
  process.exit(await runCommandLine(process.argv.slice(2), context));
}
