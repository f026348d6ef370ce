import { KlogError } from '../errors.js';
import { exitCodeOf } from './exit-code.js';
import { escapeLine } from './terminal-text.js';

export interface ReportOptions {
  /** An object instead of a line. */
  readonly json: boolean;
  /** `KLOG_DEBUG=1`: the stack, too. */
  readonly debug: boolean;
}

/**
 * An error as it goes to standard error: one line, `klog: what failed: why (where). What to try.`, or one JSON object.
 */
export function reportError(error: unknown, options: ReportOptions): string {
  const text = options.json ? `${JSON.stringify(errorObject(error))}\n` : `klog: ${errorLine(error)}\n`;
  return options.debug ? `${text}${stackOf(error)}\n` : text;
}

function errorLine(error: unknown): string {
  const message = messageOf(error);
  if (!(error instanceof KlogError)) return escapeLine(message);
  const place = placeText(error, message);
  const sentence = place === '' ? message : `${message} (${place})`;
  return escapeLine(error.hint === undefined ? sentence : `${withPeriod(sentence)} ${withPeriod(error.hint)}`);
}

function errorObject(error: unknown): Record<string, unknown> {
  const known = error instanceof KlogError ? error : undefined;
  return {
    error: messageOf(error),
    code: known?.code ?? 'KLOG_INTERNAL',
    exit: exitCodeOf(error),
    topic: known?.place.topic,
    partition: known?.place.partition,
    offset: known?.place.offset,
    group: known?.place.group,
    file: known?.place.file,
    position: known?.place.position,
    line: known?.place.line,
    hint: known?.hint,
  };
}

/** Where it happened, without what the message says already. */
function placeText(error: KlogError, message: string): string {
  const { topic, partition, offset, file, position, line } = error.place;
  const parts: string[] = [];
  if (topic !== undefined && partition !== undefined) parts.push(`${topic}:${partition}`);
  else if (topic !== undefined) parts.push(topic);
  if (offset !== undefined && !message.includes(`@${offset}`)) parts.push(`offset ${offset}`);
  if (file !== undefined) parts.push(file);
  if (position !== undefined && !message.includes(`byte ${position}`)) parts.push(`position ${position}`);
  if (line !== undefined) parts.push(`line ${line}`);
  return parts.filter((part) => !message.includes(part)).join(', ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const own = error.stack ?? '';
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}

function withPeriod(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
