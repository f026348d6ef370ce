/**
 * Zones for `--tz`: a name of the IANA database (`Europe/Berlin`), `UTC`, `local`, or an offset (`+02:00`).
 */
import { KlogError } from '../../../errors.js';

export interface TimeZone {
  offsetSecondsAt(timestamp: number): number;
  /** The zone's abbreviation at that time, `UTC`, `CET`, `GMT+8`. */
  nameAt(timestamp: number): string;
}

export const UTC: TimeZone = { offsetSecondsAt: () => 0, nameAt: () => 'UTC' };

/** Everything `Date` and `Intl` can hold. */
const MAX_DATE = 8.64e15;
/** Zones change their offset at multiples of a quarter of an hour (since 1972; before, by seconds nobody prints). */
const QUARTER_HOUR = 900_000;

/** KLOG_USAGE for an unknown zone. */
export function parseTimeZone(name: string): TimeZone {
  if (/^(utc|z|gmt)$/i.test(name)) return UTC;
  const offset = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(name);
  if (offset !== null) {
    const seconds = Number(offset[2]) * 3600 + Number(offset[3] ?? '0') * 60;
    const signed = offset[1] === '-' ? -seconds : seconds;
    const shown = `${offset[1]}${offset[2]}:${offset[3] ?? '00'}`;
    if (Number(offset[2]) > 23 || Number(offset[3] ?? '0') > 59) throw unknownZone(name, undefined);
    return { offsetSecondsAt: () => signed, nameAt: () => shown };
  }
  return new IntlTimeZone(name === 'local' ? undefined : name);
}

class IntlTimeZone implements TimeZone {
  readonly #format: Intl.DateTimeFormat;
  #quarter = Number.NaN;
  #offsetSeconds = 0;
  #name = '';

  constructor(name: string | undefined) {
    try {
      this.#format = new Intl.DateTimeFormat('en-GB', {
        timeZone: name,
        hourCycle: 'h23',
        era: 'short',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
        timeZoneName: 'short',
      });
    } catch (error) {
      throw unknownZone(name ?? 'local', error);
    }
  }

  offsetSecondsAt(timestamp: number): number {
    this.#lookUp(timestamp);
    return this.#offsetSeconds;
  }

  nameAt(timestamp: number): string {
    this.#lookUp(timestamp);
    return this.#name;
  }

  /**
   * Records of a log are close in time, so the answer for the last quarter of an hour is nearly always the right one.
   */
  #lookUp(timestamp: number): void {
    const clamped = Math.max(-MAX_DATE, Math.min(MAX_DATE, timestamp));
    const quarter = Math.floor(clamped / QUARTER_HOUR);
    if (quarter === this.#quarter) return;
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
    for (const part of this.#format.formatToParts(clamped)) parts[part.type] = part.value;
    const year = parts.era?.startsWith('B') ? 1 - Number(parts.year) : Number(parts.year);
    const local = new Date(0);
    local.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
    local.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
    const offset = Math.round((local.getTime() - Math.floor(clamped / 1000) * 1000) / 1000);
    this.#offsetSeconds = Number.isNaN(offset) ? 0 : offset;
    this.#name = parts.timeZoneName ?? '';
    this.#quarter = quarter;
  }
}

function unknownZone(name: string, cause: unknown): KlogError {
  return new KlogError('KLOG_USAGE', `Unknown time zone "${name}"`, {
    cause,
    hint: 'Use a name like Europe/Berlin, UTC, local, or an offset like +02:00.',
  });
}
