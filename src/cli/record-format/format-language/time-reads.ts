/** The elements that times are made of, as they are read; those of `strftime` and of Go's layouts are the same. */
import { MONTHS, WEEKDAYS } from './civil-time.js';
import type { TimeFields } from './time-fields.js';
import type { TimeText } from './time-text.js';

/** Reads one element. False where something else stands. */
export type TimeRead = (text: TimeText, fields: TimeFields) => boolean;

/** What an element says of the time: a layout needs the date, and must not have one hour without the other half. */
export type TimeAspect = 'epoch' | 'year' | 'month' | 'day' | 'yearDay' | 'hour' | 'hour12' | 'half' | 'none';

export interface TimeElement {
  readonly read: TimeRead;
  readonly aspects: readonly TimeAspect[];
}

type NumberField = 'year' | 'month' | 'day' | 'yearDay' | 'hour' | 'minute' | 'second' | 'epochSeconds';

function numeric(field: NumberField, aspect: TimeAspect, min: number, max = min): TimeElement {
  const read: TimeRead = (text, fields) => {
    const n = text.digits(min, max);
    fields[field] = n;
    return !Number.isNaN(n);
  };
  return { read, aspects: [aspect] };
}

/** With a space in place of a leading zero. */
function spacePadded(field: NumberField, aspect: TimeAspect, width: number): TimeElement {
  const read: TimeRead = (text, fields) => {
    let left = width;
    while (left > 1 && text.takes(' ')) left--;
    const n = text.digits(left);
    fields[field] = n;
    return !Number.isNaN(n);
  };
  return { read, aspects: [aspect] };
}

/** POSIX reads 69 to 99 as of the last century. */
const twoDigitYear: TimeElement = {
  read: (text, fields) => {
    const n = text.digits(2);
    fields.year = n + (n < 69 ? 2000 : 1900);
    return !Number.isNaN(n);
  },
  aspects: ['year'],
};

const short = (words: readonly string[]) => words.map((word) => word.slice(0, 3));

function monthName(names: readonly string[]): TimeElement {
  const read: TimeRead = (text, fields) => {
    fields.month = text.oneOf(names) + 1;
    return fields.month > 0;
  };
  return { read, aspects: ['month'] };
}

/** Says nothing that the date does not say. */
function passedOver(read: (text: TimeText) => boolean): TimeElement {
  return { read, aspects: ['none'] };
}

/** `+01:00`, `+0100`, `+01`; `Z` for none where `zulu`. */
export function offset(colon: boolean, parts: 1 | 2 | 3, zulu: boolean): TimeElement {
  const read: TimeRead = (text, fields) => {
    fields.offsetSeconds = 0;
    if (zulu && text.takes('Z')) return true;
    const sign = text.takes('+') ? 1 : text.takes('-') ? -1 : 0;
    let seconds = 0;
    for (let part = 0; part < parts; part++) {
      if (part > 0 && colon && !text.takes(':')) return false;
      seconds += text.digits(2) * 60 ** (2 - part);
    }
    fields.offsetSeconds = sign * seconds;
    return sign !== 0 && !Number.isNaN(seconds);
  };
  return { read, aspects: ['none'] };
}

/** Digits behind the point, of which three are kept. `optional`: they and the point may be missing. */
export function fraction(point: string, digits: number, optional: boolean): TimeElement {
  const read: TimeRead = (text, fields) => {
    if (!text.takes(point)) return optional;
    const from = text.position;
    const n = text.digits(optional ? 1 : digits, digits);
    fields.millisecond = Math.floor((n * 1000) / 10 ** (text.position - from));
    return !Number.isNaN(n);
  };
  return { read, aspects: ['none'] };
}

export function literal(text: string): TimeElement {
  // The bytes of its UTF-8, each as a character, as they are read.
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return passedOver((source) => source.takes(bytes));
}

export function sequence(...elements: readonly TimeElement[]): TimeElement {
  return {
    read: (text, fields) => elements.every(({ read }) => read(text, fields)),
    aspects: elements.flatMap(({ aspects }) => aspects),
  };
}

const month = numeric('month', 'month', 2);
const day = numeric('day', 'day', 2);
const year = numeric('year', 'year', 4);
const hour = numeric('hour', 'hour', 2);
const minute = numeric('minute', 'none', 2);
const second = numeric('second', 'none', 2);
const clock = sequence(hour, literal(':'), minute, literal(':'), second);

/** Behind numbers of two digits, those that begin with a space or without anything. */
export const ELEMENTS = {
  year,
  twoDigitYear,
  month,
  monthDigits: numeric('month', 'month', 1, 2),
  monthName: monthName(MONTHS),
  shortMonthName: monthName(short(MONTHS)),
  day,
  dayDigits: numeric('day', 'day', 1, 2),
  spacedDay: spacePadded('day', 'day', 2),
  yearDay: numeric('yearDay', 'yearDay', 3),
  spacedYearDay: spacePadded('yearDay', 'yearDay', 3),
  weekday: passedOver((text) => text.oneOf(WEEKDAYS) >= 0),
  shortWeekday: passedOver((text) => text.oneOf(short(WEEKDAYS)) >= 0),
  weekdayDigit: passedOver((text) => !Number.isNaN(text.digits(1))),
  hour,
  spacedHour: spacePadded('hour', 'hour', 2),
  hour12: numeric('hour', 'hour12', 2),
  hour12Digits: numeric('hour', 'hour12', 1, 2),
  spacedHour12: spacePadded('hour', 'hour12', 2),
  half: {
    read: (text, fields) => {
      fields.isAfternoon = text.takes('PM');
      return fields.isAfternoon || text.takes('AM');
    },
    aspects: ['half'],
  },
  minute,
  minuteDigits: numeric('minute', 'none', 1, 2),
  second,
  secondDigits: numeric('second', 'none', 1, 2),
  clock,
  epochSeconds: numeric('epochSeconds', 'epoch', 1, 13),
  utc: {
    read: (text, fields) => {
      fields.offsetSeconds = 0;
      return text.takes('UTC');
    },
    aspects: ['none'],
  },
} as const satisfies Readonly<Record<string, TimeElement>>;
