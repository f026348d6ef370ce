import type { CliContext } from './cli-context.js';
import { combineExitCodes, type ExitCode, exitCodeOf } from './exit-code.js';
import type { GlobalOptions } from './global-options.js';
import { reportError } from './report-error.js';

/**
 * Does the same to each of several operands. One that fails is reported and the others go on; a single one fails as
 * usual. The exit code is theirs when all ended alike, else 1.
 */
export async function forEachOperand<T>(
  operands: readonly T[],
  options: Pick<GlobalOptions, 'json'>,
  context: Pick<CliContext, 'stderr' | 'env'>,
  work: (operand: T) => Promise<void>,
  explain: (error: unknown) => Promise<unknown> = async (error) => error,
): Promise<ExitCode> {
  if (operands.length === 1) {
    await work(operands[0]!);
    return 0;
  }
  const codes: ExitCode[] = [];
  for (const operand of operands) {
    try {
      await work(operand);
      codes.push(0);
    } catch (error) {
      const explained = await explain(error);
      context.stderr.write(reportError(explained, { json: options.json, debug: context.env.KLOG_DEBUG === '1' }));
      codes.push(exitCodeOf(explained));
    }
  }
  return combineExitCodes(codes);
}
