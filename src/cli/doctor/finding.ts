import type { ErrorPlace } from '../../errors.js';

/**
 * - `ok`: as it should be.
 * - `warn`: works, and the user should know.
 * - `fail`: something will not work, or is damaged.
 */
export type Verdict = 'ok' | 'warn' | 'fail';

/** One line of the doctor's. */
export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** Where, of damage. */
  readonly place?: ErrorPlace;
  /** The log itself is damaged. */
  readonly isDamage?: boolean;
}

export function ok(check: string, message: string): Finding {
  return { check, verdict: 'ok', message };
}

export function warn(check: string, message: string, hint?: string): Finding {
  return { check, verdict: 'warn', message, hint };
}

export function fail(check: string, message: string, hint?: string): Finding {
  return { check, verdict: 'fail', message, hint };
}
