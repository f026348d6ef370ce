import { KlogError } from '../../errors.js';

/** A whole number of at least 1. */
export function parseCount(text: string): number {
  return parseWhole(text, 1);
}

/** A whole number of at least 0. */
export function parseNumberOfRecords(text: string): number {
  return parseWhole(text, 0);
}

function parseWhole(text: string, least: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least) {
    throw new KlogError('KLOG_USAGE', `'${text}' is no whole number of at least ${least}`);
  }
  return number;
}
