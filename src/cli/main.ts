import { CommanderError } from 'commander';
import { type CliContext, ProcessContext } from './cli-context.js';
import type { CommandHost } from './command-host.js';
import { exitCodeOf } from './exit-code.js';
import { createProgram } from './program.js';
import { reportError } from './report-error.js';
import { signalExitCode } from './signals.js';

/** Runs one command line to its end, output written, errors reported. Answers with the exit code. */
export async function runCommandLine(args: readonly string[], context: CliContext): Promise<number> {
  const host: CommandHost = { context, exitCode: 0 };
  try {
    if (args[0] === 'complete') await completeWords(args.slice(1), context);
    else await createProgram(host).parseAsync(readableArguments(args), { from: 'user' });
    await context.stdout.flush();
  } catch (error) {
    host.exitCode = await fail(error, args, context);
  }
  const { received } = context.signals;
  return received === undefined ? host.exitCode : signalExitCode(received);
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

async function fail(error: unknown, args: readonly string[], context: CliContext): Promise<number> {
  try {
    // What was printed before it failed comes first.
    await context.stdout.flush();
  } catch {
    // It is what failed, or comes second to it.
  }
  if (error instanceof CommanderError) return error.code === 'commander.help' ? 2 : error.exitCode;
  const untilOperands = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const json = untilOperands.includes('--json');
  context.stderr.write(reportError(error, { json, debug: context.env.KLOG_DEBUG === '1' }));
  return exitCodeOf(error);
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
