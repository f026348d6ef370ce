import { KlogError } from '../../errors.js';

/** `1x`, `0.5x`, `10x` or `max` → a factor; `max` is Infinity. */
export function parseSpeed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const [, digits] = /^(\d+(?:\.\d+)?)x$/.exec(text) ?? [];
  const factor = Number(digits);
  if (digits === undefined || factor <= 0) {
    throw new KlogError('KLOG_USAGE', `'${text}' is no speed`, { hint: 'Speeds look like 1x, 0.5x, 10x, max' });
  }
  return factor;
}
