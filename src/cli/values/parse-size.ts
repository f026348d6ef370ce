import { KlogError } from '../../errors.js';

const SIZE = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B?)$/i;
const POWERS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** `512`, `64K`, `64KiB`, `1.5G` → bytes; every unit is a power of 1024. */
export function parseSize(text: string): number {
  const [, digits, unit] = SIZE.exec(text.trim()) ?? [];
  if (digits === undefined || unit === undefined || /^[\d.]+i/i.test(text.trim())) {
    throw new KlogError('KLOG_USAGE', `'${text}' is no size`, { hint: 'Sizes look like 512, 64K, 16M, 1.5G' });
  }
  const bytes = Number(digits) * POWERS[unit.toUpperCase()]!;
  if (!Number.isSafeInteger(bytes)) throw new KlogError('KLOG_USAGE', `'${text}' is no whole number of bytes`);
  return bytes;
}
