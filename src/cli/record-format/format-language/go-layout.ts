/** `{go[LAYOUT]}`: Go's way to write a time layout, by the reference time `Mon Jan 2 15:04:05 MST 2006`. */
import type { OutputBuffer } from '../output-buffer.js';
import type { CivilTime } from './civil-time.js';
import { MONTHS, WEEKDAYS, writeOffset, writeSpacePadded, writeYear } from './civil-time.js';
import { fraction, literal, offset, ELEMENTS as READ, type TimeElement } from './time-reads.js';

export type TimePiece = (time: CivilTime, out: OutputBuffer) => void;

const ELEMENTS = new RegExp(
  [
    'January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST',
    '002|0[1-6]|15|1|2006|2|_2006|__2|_2|3|4|5|PM|pm',
    '[-Z]07(?::00:00|0000|:00|00)?',
    '[.,](?:0+|9+)(?![0-9])',
  ].join('|'),
  'g',
);

const hour12 = (time: CivilTime) => (time.hour % 12 === 0 ? 12 : time.hour % 12);

const PIECES: Readonly<Record<string, TimePiece>> = {
  January: (time, out) => out.writeAscii(MONTHS[time.month - 1]!),
  Jan: (time, out) => out.writeAscii(MONTHS[time.month - 1]!.slice(0, 3)),
  Monday: (time, out) => out.writeAscii(WEEKDAYS[time.weekday]!),
  Mon: (time, out) => out.writeAscii(WEEKDAYS[time.weekday]!.slice(0, 3)),
  MST: (time, out) => out.writeText(time.zoneName),
  '002': (time, out) => out.writePadded(time.yearDay, 3),
  '01': (time, out) => out.writePadded(time.month, 2),
  '02': (time, out) => out.writePadded(time.day, 2),
  '03': (time, out) => out.writePadded(hour12(time), 2),
  '04': (time, out) => out.writePadded(time.minute, 2),
  '05': (time, out) => out.writePadded(time.second, 2),
  '06': (time, out) => out.writePadded(((time.year % 100) + 100) % 100, 2),
  '15': (time, out) => out.writePadded(time.hour, 2),
  '1': (time, out) => out.writeNumber(time.month),
  '2006': (time, out) => writeYear(time.year, out),
  '2': (time, out) => out.writeNumber(time.day),
  _2006: (time, out) => {
    out.writeByte(0x5f);
    writeYear(time.year, out);
  },
  __2: (time, out) => {
    if (time.yearDay < 100) out.writeByte(0x20);
    writeSpacePadded(time.yearDay, out);
  },
  _2: (time, out) => writeSpacePadded(time.day, out),
  '3': (time, out) => out.writeNumber(hour12(time)),
  '4': (time, out) => out.writeNumber(time.minute),
  '5': (time, out) => out.writeNumber(time.second),
  PM: (time, out) => out.writeAscii(time.hour < 12 ? 'AM' : 'PM'),
  pm: (time, out) => out.writeAscii(time.hour < 12 ? 'am' : 'pm'),
};

export function compileGoLayout(layout: string): TimePiece[] {
  return splitLayout(layout, pieceFor, literalPiece);
}

/** The elements as they are read; those that cannot be are named by their text. */
export function goElements(layout: string): (TimeElement | string)[] {
  return splitLayout<TimeElement | string>(layout, elementFor, literal);
}

function splitLayout<T>(layout: string, elementOf: (text: string) => T, literalOf: (text: string) => T): T[] {
  const pieces: T[] = [];
  let from = 0;
  for (const match of layout.matchAll(ELEMENTS)) {
    if (match.index > from) pieces.push(literalOf(layout.slice(from, match.index)));
    pieces.push(elementOf(match[0]));
    from = match.index + match[0].length;
  }
  if (from < layout.length) pieces.push(literalOf(layout.slice(from)));
  return pieces;
}

const READABLE: Readonly<Record<string, TimeElement>> = {
  January: READ.monthName,
  Jan: READ.shortMonthName,
  Monday: READ.weekday,
  Mon: READ.shortWeekday,
  MST: READ.utc,
  '002': READ.yearDay,
  '01': READ.month,
  '02': READ.day,
  '03': READ.hour12,
  '04': READ.minute,
  '05': READ.second,
  '06': READ.twoDigitYear,
  '15': READ.hour,
  '1': READ.monthDigits,
  '2006': READ.year,
  '2': READ.dayDigits,
  __2: READ.spacedYearDay,
  _2: READ.spacedDay,
  '3': READ.hour12Digits,
  '4': READ.minuteDigits,
  '5': READ.secondDigits,
  PM: READ.half,
  pm: READ.half,
};

function elementFor(text: string): TimeElement | string {
  const element = READABLE[text];
  if (element !== undefined) return element;
  const first = text[0]!;
  if (first === '-' || first === 'Z') return offset(text.includes(':'), offsetParts(text), first === 'Z');
  if (first === '.' || first === ',') return fraction(first, text.length - 1, text[1] === '9');
  return text;
}

export function literalPiece(text: string): TimePiece {
  return (_time, out) => out.writeText(text);
}

function pieceFor(element: string): TimePiece {
  const piece = PIECES[element];
  if (piece !== undefined) return piece;
  const first = element[0]!;
  if (first === '-' || first === 'Z') return offsetPiece(element);
  return fractionPiece(first, element.length - 1, element[1] === '9');
}

function offsetPiece(element: string): TimePiece {
  const colon = element.includes(':');
  const parts = offsetParts(element);
  const zulu = element[0] === 'Z';
  return (time, out) => {
    if (zulu && time.offsetSeconds === 0) out.writeByte(0x5a);
    else writeOffset(time.offsetSeconds, colon, parts, out);
  };
}

function offsetParts(element: string): 1 | 2 | 3 {
  return (element.replace(/[^0-9]/g, '').length / 2) as 1 | 2 | 3;
}

/** Fractions of a second; those written with nines drop trailing zeros, and the separator when nothing is left. */
function fractionPiece(separator: string, digits: number, trimmed: boolean): TimePiece {
  return (time, out) => {
    let text = String(time.millisecond).padStart(3, '0').padEnd(digits, '0').slice(0, digits);
    if (trimmed) text = text.replace(/0+$/, '');
    if (text !== '') out.writeAscii(separator + text);
  };
}
