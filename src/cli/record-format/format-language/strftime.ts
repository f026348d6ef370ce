/** `{strftime[FMT]}` in the C locale, but `%x` is DD/MM/YY; `%E` and `%O` are skipped with the letter behind them. */
import type { OutputBuffer } from '../output-buffer.js';
import type { CivilTime } from './civil-time.js';
import { MONTHS, WEEKDAYS, writeClock, writeOffset, writeSpacePadded, writeYear } from './civil-time.js';
import { literalPiece, type TimePiece } from './go-layout.js';
import { formatError } from './layout.js';
import { literal, offset, ELEMENTS as READ, sequence, type TimeElement } from './time-reads.js';

const hour12 = (time: CivilTime) => (time.hour % 12 === 0 ? 12 : time.hour % 12);
const century = (year: number) => ((year % 100) + 100) % 100;
const padded = (digits: number, field: (time: CivilTime) => number): TimePiece => {
  return (time, out) => out.writePadded(field(time), digits);
};

function writeSlashed(first: number, second: number, third: number, out: OutputBuffer): void {
  out.writePadded(first, 2);
  out.writeByte(0x2f);
  out.writePadded(second, 2);
  out.writeByte(0x2f);
  out.writePadded(third, 2);
}

const shortWeekday: TimePiece = (time, out) => out.writeAscii(WEEKDAYS[time.weekday]!.slice(0, 3));
const shortMonth: TimePiece = (time, out) => out.writeAscii(MONTHS[time.month - 1]!.slice(0, 3));
const clock: TimePiece = (time, out) => writeClock(time, out);

/** `Mon Jan _2 15:04:05` */
function writeAnsi(time: CivilTime, out: OutputBuffer): void {
  shortWeekday(time, out);
  out.writeByte(0x20);
  shortMonth(time, out);
  out.writeByte(0x20);
  writeSpacePadded(time.day, out);
  out.writeByte(0x20);
  writeClock(time, out);
  out.writeByte(0x20);
}

const CONVERSIONS: Readonly<Record<string, TimePiece>> = {
  a: shortWeekday,
  A: (time, out) => out.writeAscii(WEEKDAYS[time.weekday]!),
  b: shortMonth,
  h: shortMonth,
  B: (time, out) => out.writeAscii(MONTHS[time.month - 1]!),
  c: (time, out) => {
    writeAnsi(time, out);
    writeYear(time.year, out);
  },
  C: (time, out) => {
    const hundreds = Math.floor(time.year / 100);
    if (hundreds >= 0 && hundreds < 100) out.writePadded(hundreds, 2);
    else out.writeNumber(hundreds);
  },
  d: padded(2, (time) => time.day),
  D: (time, out) => writeSlashed(time.month, time.day, century(time.year), out),
  e: (time, out) => writeSpacePadded(time.day, out),
  F: (time, out) => {
    writeYear(time.year, out);
    out.writeByte(0x2d);
    out.writePadded(time.month, 2);
    out.writeByte(0x2d);
    out.writePadded(time.day, 2);
  },
  G: (time, out) => writeYear(time.isoWeek().year, out),
  g: padded(2, (time) => century(time.isoWeek().year)),
  H: padded(2, (time) => time.hour),
  I: padded(2, hour12),
  j: padded(3, (time) => time.yearDay),
  k: (time, out) => writeSpacePadded(time.hour, out),
  l: (time, out) => writeSpacePadded(hour12(time), out),
  m: padded(2, (time) => time.month),
  M: padded(2, (time) => time.minute),
  n: (_time, out) => out.writeByte(0x0a),
  p: (time, out) => out.writeAscii(time.hour < 12 ? 'AM' : 'PM'),
  P: (time, out) => out.writeAscii(time.hour < 12 ? 'am' : 'pm'),
  r: (time, out) => {
    out.writePadded(hour12(time), 2);
    out.writeByte(0x3a);
    out.writePadded(time.minute, 2);
    out.writeByte(0x3a);
    out.writePadded(time.second, 2);
    out.writeAscii(time.hour < 12 ? ' AM' : ' PM');
  },
  R: (time, out) => {
    out.writePadded(time.hour, 2);
    out.writeByte(0x3a);
    out.writePadded(time.minute, 2);
  },
  s: (time, out) => out.writeNumber(Math.floor(time.timestamp / 1000)),
  S: padded(2, (time) => time.second),
  t: (_time, out) => out.writeByte(0x09),
  T: clock,
  u: (time, out) => out.writeNumber(time.weekday === 0 ? 7 : time.weekday),
  U: padded(2, (time) => Math.floor((time.yearDay - time.weekday + 6) / 7)),
  V: padded(2, (time) => time.isoWeek().week),
  w: (time, out) => out.writeNumber(time.weekday),
  W: padded(2, (time) => Math.floor((time.yearDay - ((time.weekday + 6) % 7) + 6) / 7)),
  x: (time, out) => writeSlashed(time.day, time.month, century(time.year), out),
  X: clock,
  y: padded(2, (time) => century(time.year)),
  Y: (time, out) => writeYear(time.year, out),
  z: (time, out) => writeOffset(time.offsetSeconds, false, 2, out),
  Z: (time, out) => out.writeText(time.zoneName),
  '+': (time, out) => {
    writeAnsi(time, out);
    out.writeText(time.zoneName);
    out.writeByte(0x20);
    writeYear(time.year, out);
  },
  '%': (_time, out) => out.writeByte(0x25),
};

export function compileStrftime(format: string, index: number, layout: string): TimePiece[] {
  const compile = (letter: string) => CONVERSIONS[letter] ?? fail(format, index, letter);
  return splitLayout(layout, compile, literalPiece);
}

const dash = literal('-');
const slash = literal('/');
const space = literal(' ');
const ansi = [READ.shortWeekday, space, READ.shortMonthName, space, READ.spacedDay, space, READ.clock, space] as const;

const READABLE: Readonly<Record<string, TimeElement>> = {
  a: READ.shortWeekday,
  A: READ.weekday,
  b: READ.shortMonthName,
  h: READ.shortMonthName,
  B: READ.monthName,
  c: sequence(...ansi, READ.year),
  d: READ.day,
  D: sequence(READ.month, slash, READ.day, slash, READ.twoDigitYear),
  e: READ.spacedDay,
  F: sequence(READ.year, dash, READ.month, dash, READ.day),
  H: READ.hour,
  I: READ.hour12,
  j: READ.yearDay,
  k: READ.spacedHour,
  l: READ.spacedHour12,
  m: READ.month,
  M: READ.minute,
  n: literal('\n'),
  p: READ.half,
  P: READ.half,
  r: sequence(READ.hour12, literal(':'), READ.minute, literal(':'), READ.second, space, READ.half),
  R: sequence(READ.hour, literal(':'), READ.minute),
  s: READ.epochSeconds,
  S: READ.second,
  t: literal('\t'),
  T: READ.clock,
  u: READ.weekdayDigit,
  w: READ.weekdayDigit,
  x: sequence(READ.day, slash, READ.month, slash, READ.twoDigitYear),
  X: READ.clock,
  y: READ.twoDigitYear,
  Y: READ.year,
  z: offset(false, 2, false),
  Z: READ.utc,
  '+': sequence(...ansi, READ.utc, space, READ.year),
  '%': literal('%'),
};

/** The conversions as they are read; those that cannot be are named: weeks and centuries tell no date. */
export function strftimeElements(format: string, index: number, layout: string): (TimeElement | string)[] {
  const compile = (letter: string) => {
    if (CONVERSIONS[letter] === undefined) fail(format, index, letter);
    return READABLE[letter] ?? `%${letter}`;
  };
  return splitLayout<TimeElement | string>(layout, compile, literal);
}

function splitLayout<T>(layout: string, conversion: (letter: string) => T, literalOf: (text: string) => T): T[] {
  const pieces: T[] = [];
  let from = 0;
  for (const match of layout.matchAll(/%(?:[EO][A-Za-z]?|[\s\S]|$)/g)) {
    if (match.index > from) pieces.push(literalOf(layout.slice(from, match.index)));
    from = match.index + match[0].length;
    const letter = match[0].slice(1);
    if (letter[0] !== 'E' && letter[0] !== 'O') pieces.push(conversion(letter));
  }
  if (from < layout.length) pieces.push(literalOf(layout.slice(from)));
  return pieces;
}

function fail(format: string, index: number, letter: string): never {
  const known = Object.keys(CONVERSIONS).join(' ');
  throw formatError(format, index, `strftime does not know %${letter}`, `It knows ${known}.`);
}
