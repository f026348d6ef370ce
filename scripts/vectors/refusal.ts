/** klog's numbers are exact up to 2^53 - 1; what goes beyond it must refuse, and vectors hold such values. */
import { KlogError } from '../../src/errors.js';

/** The error by which klog refuses a 64-bit value that a number cannot hold exactly. */
export function isRefusal(error: unknown): boolean {
  return error instanceof KlogError && error.code === 'INVALID_RECORD' && error.message.includes('2^53 - 1');
}

/** Whether a 64-bit value, written in decimal, is one to refuse. */
export function exceedsSafeInteger(decimal: unknown): boolean {
  return typeof decimal === 'string' && /^-?\d+$/.test(decimal) && !Number.isSafeInteger(Number(decimal));
}
