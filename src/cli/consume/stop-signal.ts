import type { CliContext } from '../cli-context.js';

/** Ctrl-C; and for what waits for records that its reader has gone, which else only the next record would tell. */
export function stopSignal({ signals, stdout }: CliContext, isWaiting: boolean): AbortSignal {
  return isWaiting ? AbortSignal.any([signals.signal, stdout.readerGone()]) : signals.signal;
}
