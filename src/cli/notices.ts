import type { CliContext } from './cli-context.js';
import { escapeLine } from './terminal-text.js';

export interface Loudness {
  /** `-q`: no notices. Errors always. */
  readonly quiet: boolean;
  /** `-v`: details, too. */
  readonly verbose: boolean;
}

/** A line on standard error that is no error: what was done, and where. */
export function notice(loudness: Loudness, context: Pick<CliContext, 'stderr'>, text: string): void {
  if (!loudness.quiet) context.stderr.write(`${escapeLine(text)}\n`);
}

/** A line for those who asked for details. */
export function detail(loudness: Loudness, context: Pick<CliContext, 'stderr'>, text: string): void {
  if (loudness.verbose && !loudness.quiet) context.stderr.write(`${escapeLine(text)}\n`);
}
