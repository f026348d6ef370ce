import parse from 'parse-duration';
import { KlogError } from '../../errors.js';

/** One or more numbers, each with its unit. A month or a year is no fixed time, so they are not among the units. */
const DURATION = /^\s*(?:\d+(?:\.\d+)?\s*(?:ns|us|µs|ms|s|m|h|d|w)\s*)+$/;

/** `500ms`, `5s`, `15m`, `2h`, `1d`, `1h30m` → milliseconds. A bare number has no unit and is refused. */
export function parseDuration(text: string): number {
  const milliseconds = tryParseDuration(text);
  if (milliseconds !== undefined) return milliseconds;
  if (/^\d+(\.\d+)?$/.test(text)) {
    throw new KlogError('KLOG_USAGE', `'${text}' has no unit`, { hint: `Say ${text}s or ${text}ms` });
  }
  throw new KlogError('KLOG_USAGE', `'${text}' is no duration`, { hint: 'Durations look like 500ms, 5s, 15m, 2h, 1d' });
}

/** Undefined for anything else than a duration. */
export function tryParseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  return parse(text) ?? undefined;
}
