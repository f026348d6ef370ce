import { KlogError } from '../../errors.js';
import { parseTimeZone, type TimeZone } from '../record-format/format-language/time-zone.js';
import { tryParseDuration } from './parse-duration.js';

export interface TimeContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** As `--tz` takes it, for times that name no zone themselves. Default UTC. */
  readonly timeZone?: string | undefined;
}

/**
 * A point in time → milliseconds since 1970: digits (up to 10 are seconds, more are milliseconds), ISO 8601, a date,
 * `-15m` (ago), `+15m`, `now`.
 */
export function parseTime(text: string, context: TimeContext): number {
  const time = tryParseTime(text, context);
  if (time !== undefined) return time;
  throw new KlogError('KLOG_USAGE', `'${text}' is no time`, {
    hint: 'Times look like 1700000000, 2024-05-01T10:00Z, 2024-05-01, -15m, now',
  });
}

/** Undefined for anything else than a time. */
export function tryParseTime(text: string, context: TimeContext): number | undefined {
  if (text === 'now') return context.now;
  if (/^\d+$/.test(text)) return parseDigits(text);
  const sign = text[0];
  if (sign === '-' || sign === '+') {
    const duration = tryParseDuration(text.slice(1));
    return duration === undefined
      ? undefined
      : Math.round(sign === '-' ? context.now - duration : context.now + duration);
  }
  return parseIso(text, context.timeZone);
}

function parseDigits(text: string): number | undefined {
  const number = text.length <= 10 ? Number(text) * 1000 : Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Date, or date and time of day, with or without a zone. */
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;

function parseIso(text: string, timeZone: string | undefined): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const milliseconds = Math.floor(Number(`0.${match[7] ?? 0}`) * 1000);
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second, milliseconds));
  date.setUTCFullYear(year);
  // The 31st of a month of 30 days would silently be the 1st of the next.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const utc = date.getTime();
  const zone = match[8];
  if (zone !== undefined) return utc - zoneMinutes(zone) * 60_000;
  return timeZone === undefined ? utc : fromLocalTime(utc, parseTimeZone(timeZone));
}

function zoneMinutes(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone)!;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/**
 * Looks a second time with the offset found first: near a change of the clocks the first one may be the wrong side's.
 */
function fromLocalTime(local: number, zone: TimeZone): number {
  const first = local - zone.offsetSecondsAt(local) * 1000;
  return local - zone.offsetSecondsAt(first) * 1000;
}

/** For `--tz`, before it is needed. KLOG_USAGE for an unknown zone. */
export function checkTimeZone(name: string): string {
  parseTimeZone(name);
  return name;
}
