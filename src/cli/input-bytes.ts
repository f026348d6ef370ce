import { KlogError } from '../errors.js';
import type { CliContext } from './cli-context.js';
import { type Input, openInputFile } from './input.js';

/**
 * All that a file, or with `-` standard input, has. `undefined`: a signal came before its end, and half of it is not to
 * be acted on. KLOG_INPUT_FAILED; KLOG_BAD_INPUT: it has more than `maxBytes`.
 */
export async function inputBytes(
  path: string,
  { stdin, signals }: Pick<CliContext, 'stdin' | 'signals'>,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<{ readonly input: Input; readonly bytes: Buffer } | undefined> {
  const input = await openInputFile(path, stdin);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input.chunks(signals.signal)) {
    length += chunk.length;
    if (length > maxBytes)
      throw new KlogError('KLOG_BAD_INPUT', `${input.name} is too long: more than ${maxBytes} bytes`);
    chunks.push(Buffer.from(chunk));
  }
  return signals.signal.aborted ? undefined : { input, bytes: Buffer.concat(chunks, length) };
}
