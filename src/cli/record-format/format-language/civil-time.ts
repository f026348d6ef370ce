/** The calendar fields of a timestamp in a zone, by arithmetic: no `Date`, so no limits and nothing allocated. */
import type { OutputBuffer } from '../output-buffer.js';
import type { TimeZone } from './time-zone.js';

const DAY = 86_400_000;

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

export class CivilTime {
  timestamp = 0;
  year = 1970;
  /** From 1. */
  month = 1;
  day = 1;
  hour = 0;
  minute = 0;
  second = 0;
  millisecond = 0;
  /** Sunday is 0. */
  weekday = 4;
  /** From 1. */
  yearDay = 1;
  offsetSeconds = 0;
  readonly #zone: TimeZone;

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  get zoneName(): string {
    return this.#zone.nameAt(this.timestamp);
  }

  set(timestamp: number): void {
    this.timestamp = timestamp;
    this.offsetSeconds = this.#zone.offsetSecondsAt(timestamp);
    const local = timestamp + this.offsetSeconds * 1000;
    const days = Math.floor(local / DAY);
    let rest = local - days * DAY;
    this.millisecond = rest % 1000;
    rest = (rest - this.millisecond) / 1000;
    this.second = rest % 60;
    rest = (rest - this.second) / 60;
    this.minute = rest % 60;
    this.hour = (rest - this.minute) / 60;
    this.weekday = (((days + 4) % 7) + 7) % 7;
    this.#setDate(days);
  }

  /** ISO 8601 week and the year it belongs to. */
  isoWeek(): { year: number; week: number } {
    const weekday = (this.weekday + 6) % 7;
    const week = Math.floor((this.yearDay - 1 - weekday + 10) / 7);
    if (week < 1) return { year: this.year - 1, week: weeksIn(this.year - 1) };
    if (week > weeksIn(this.year)) return { year: this.year + 1, week: 1 };
    return { year: this.year, week };
  }

  /** Days of the proleptic Gregorian calendar in eras of 400 years, each counted from 1 March. */
  #setDate(days: number): void {
    const shifted = days + 719_468;
    const era = Math.floor(shifted / 146_097);
    const dayOfEra = shifted - era * 146_097;
    const yearOfEra = Math.floor(
      (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
    );
    const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
    const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
    this.day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
    this.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
    this.year = yearOfEra + era * 400 + (this.month <= 2 ? 1 : 0);
    const beforeMarch = isLeap(this.year) ? 60 : 59;
    this.yearDay = this.month <= 2 ? dayOfYear - 305 : dayOfYear + beforeMarch + 1;
  }
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** 53 in years that begin on a Thursday, and in leap years that begin on a Wednesday. */
function weeksIn(year: number): number {
  const before = year - 1;
  const days = 365 * before + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  const firstWeekday = (((days + 1) % 7) + 7) % 7;
  return firstWeekday === 4 || (firstWeekday === 3 && isLeap(year)) ? 53 : 52;
}

export function writeYear(year: number, out: OutputBuffer): void {
  if (year < 0) out.writeByte(0x2d);
  const magnitude = Math.abs(year);
  if (magnitude > 9999) out.writeNumber(magnitude);
  else out.writePadded(magnitude, 4);
}

export function writeSpacePadded(n: number, out: OutputBuffer): void {
  if (n < 10) out.writeByte(0x20);
  out.writeNumber(n);
}

/** `+01:00`, `+0100`, `+01`, with seconds where asked for. */
export function writeOffset(seconds: number, colon: boolean, parts: 1 | 2 | 3, out: OutputBuffer): void {
  out.writeByte(seconds < 0 ? 0x2d : 0x2b);
  const magnitude = Math.abs(seconds);
  out.writePadded(Math.floor(magnitude / 3600), 2);
  if (parts === 1) return;
  if (colon) out.writeByte(0x3a);
  out.writePadded(Math.floor(magnitude / 60) % 60, 2);
  if (parts === 2) return;
  if (colon) out.writeByte(0x3a);
  out.writePadded(magnitude % 60, 2);
}

/** ISO 8601 with milliseconds, as `Date.prototype.toISOString` writes it; other zones than UTC with their offset. */
export function writeIso(time: CivilTime, utc: boolean, out: OutputBuffer): void {
  if (time.year < 0 || time.year > 9999) {
    out.writeByte(time.year < 0 ? 0x2d : 0x2b);
    out.writePadded(Math.abs(time.year), 6);
  } else {
    out.writePadded(time.year, 4);
  }
  out.writeByte(0x2d);
  out.writePadded(time.month, 2);
  out.writeByte(0x2d);
  out.writePadded(time.day, 2);
  out.writeByte(0x54);
  writeClock(time, out);
  out.writeByte(0x2e);
  out.writePadded(time.millisecond, 3);
  if (utc) out.writeByte(0x5a);
  else writeOffset(time.offsetSeconds, true, 2, out);
}

/** `15:04:05` */
export function writeClock(time: CivilTime, out: OutputBuffer): void {
  out.writePadded(time.hour, 2);
  out.writeByte(0x3a);
  out.writePadded(time.minute, 2);
  out.writeByte(0x3a);
  out.writePadded(time.second, 2);
}
