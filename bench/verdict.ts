/** What was promised, what was found, and whether that holds: the table at the head of a results file. */
import { aligned } from './markdown-table.js';

export interface Verdict {
  readonly what: string;
  readonly limit: string;
  readonly found: string;
  /** The same by CPU time, which others on the machine disturb less. */
  readonly byCpu?: string | undefined;
  /** `undefined`: not measured here, such as beside a program that is not installed. */
  readonly isMet: boolean | undefined;
}

/** A figure that is not to be larger. NaN and `undefined`: not measured. */
export function atMost(what: string, limit: number, found: number | undefined, unit = '×', cpu?: number): Verdict {
  return judged(what, `≤ ${limit} ${unit}`, found, unit, cpu, (value) => value <= limit);
}

/** A figure that is not to be smaller. */
export function atLeast(what: string, limit: number, found: number | undefined, unit: string): Verdict {
  return judged(what, `≥ ${limit} ${unit}`, found, unit, undefined, (value) => value >= limit);
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ what, limit, found, byCpu, isMet }) => [
    what.replaceAll('|', '\\|'),
    limit,
    found,
    byCpu ?? '',
    isMet === undefined ? 'not measured' : isMet ? 'met' : '**missed**',
  ]);
  return aligned([['what', 'target', 'found', 'by CPU', ''], ...rows]);
}

function judged(
  what: string,
  limit: string,
  found: number | undefined,
  unit: string,
  cpu: number | undefined,
  holds: (value: number) => boolean,
): Verdict {
  if (found === undefined || !Number.isFinite(found)) return { what, limit, found: '–', isMet: undefined };
  const byCpu = cpu === undefined || !Number.isFinite(cpu) ? undefined : `${rounded(cpu)} ${unit}`;
  return { what, limit, found: `${rounded(found)} ${unit}`, byCpu, isMet: holds(found) };
}

function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
