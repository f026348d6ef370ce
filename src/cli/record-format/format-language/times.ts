/** How `%d` is printed: numbers, `go[…]`, `strftime[…]`, `iso`, `iso:local`, `rel`. */
import type { OutputBuffer } from '../output-buffer.js';
import { CivilTime, writeIso } from './civil-time.js';
import { compileGoLayout, type TimePiece } from './go-layout.js';
import { formatError, type Modifier, type VerbNode } from './layout.js';
import { NUMBER_MODIFIERS, type NumberWriter, numberWriterNamed, writeDecimal } from './numbers.js';
import { compileStrftime } from './strftime.js';
import { parseTimeZone, type TimeZone, UTC } from './time-zone.js';

export interface TimeOptions {
  /** Default UTC. */
  readonly timeZone: TimeZone;
  /** For `rel`. */
  readonly now: () => number;
}

/** Kafka's word for a record that has none, which is timestamp -1. Numbers print the -1. */
const NO_TIMESTAMP = 'NO_TIMESTAMP';

export function compileTime(format: string, verb: VerbNode, options: TimeOptions): NumberWriter {
  const [modifier, second] = verb.modifiers;
  if (modifier === undefined) return writeDecimal;
  if (second !== undefined) throw formatError(format, second.index, 'a time takes one modifier');
  const number = numberWriterNamed(modifier.name);
  if (number !== undefined && modifier.argument === undefined) return number;
  const write = compileLayout(format, modifier, options);
  return (timestamp, out) => {
    if (timestamp === -1) out.writeAscii(NO_TIMESTAMP);
    else write(timestamp, out);
  };
}

function compileLayout(format: string, modifier: Modifier, options: TimeOptions): NumberWriter {
  const argument = modifier.argument ?? '';
  switch (modifier.name) {
    case 'go':
      return piecesWriter(compileGoLayout(argument), options.timeZone);
    case 'strftime':
      return piecesWriter(compileStrftime(format, modifier.index, argument), options.timeZone);
    case 'iso': {
      if (argument !== '' && argument !== 'local') break;
      const zone = argument === 'local' ? parseTimeZone('local') : options.timeZone;
      const time = new CivilTime(zone);
      return (timestamp, out) => {
        time.set(timestamp);
        writeIso(time, zone === UTC, out);
      };
    }
    case 'rel':
      if (modifier.argument === undefined) return (timestamp, out) => writeRelative(timestamp, options.now(), out);
  }
  throw formatError(
    format,
    modifier.index,
    'unknown time modifier',
    `Known: iso iso:local rel go[LAYOUT] strftime[FORMAT], and numbers: ${NUMBER_MODIFIERS}.`,
  );
}

function piecesWriter(pieces: readonly TimePiece[], zone: TimeZone): NumberWriter {
  const time = new CivilTime(zone);
  return (timestamp, out) => {
    time.set(timestamp);
    for (const piece of pieces) piece(time, out);
  };
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** `3m ago`, `in 5s`, `now`: the largest unit that fits, cut. */
function writeRelative(timestamp: number, now: number, out: OutputBuffer): void {
  const distance = Math.abs(now - timestamp);
  if (distance === 0) {
    out.writeAscii('now');
    return;
  }
  const [unit, milliseconds] = UNITS.find(([, size]) => distance >= size)!;
  if (timestamp > now) out.writeAscii('in ');
  out.writeNumber(Math.floor(distance / milliseconds));
  out.writeAscii(unit);
  if (timestamp < now) out.writeAscii(' ago');
}
