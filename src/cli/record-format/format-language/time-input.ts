/**
 * How `%d` is read by a layout of time: what `iso`, `go[…]` and `strftime[…]` print. A layout must name the date; what
 * it does not name of the time of day is 0, and the zone UTC, or the machine's with `iso:local`. `NO_TIMESTAMP` is -1.
 * `rel` cannot be read: its distance is from a moment that nobody knows any more.
 */
import type { InputBuffer } from '../input-buffer.js';
import { goElements } from './go-layout.js';
import { quoted } from './input-literal.js';
import { formatError, type Modifier } from './layout.js';
import { strftimeElements } from './strftime.js';
import { TimeFields } from './time-fields.js';
import {
  ELEMENTS,
  fraction,
  offset,
  sequence,
  type TimeAspect,
  type TimeElement,
  type TimeRead,
} from './time-reads.js';
import { TimeText } from './time-text.js';
import { parseTimeZone, type TimeZone, UTC } from './time-zone.js';

export interface TimeInput {
  /** As in the format, for messages. */
  readonly layout: string;
  readonly read: TimeRead;
  readonly zone: TimeZone;
  /** What may stand in the place of a time that a record does not have. */
  readonly noTimestamp: readonly string[];
}

const NO_TIMESTAMP = ['NO_TIMESTAMP'];

/** Undefined: more bytes are needed. */
export function readTime(input: InputBuffer, time: TimeInput, verb: string): number | undefined {
  const text = new TimeText(input);
  if (text.oneOf(time.noTimestamp) >= 0) {
    input.position = text.position;
    return -1;
  }
  const fields = new TimeFields();
  const isTime = time.read(text, fields);
  if (text.isStarved) return undefined;
  const timestamp = isTime ? fields.timestamp(time.zone) : undefined;
  if (timestamp === undefined) {
    const found = quoted(input.bytes.subarray(input.position, Math.min(input.length, input.position + 30)));
    throw input.error(`${verb} should be a time as ${time.layout} prints it, found ${found}`);
  }
  if (timestamp < 0) throw input.error(`${verb} is a time before 1970`);
  input.position = text.position;
  return timestamp;
}

/** Undefined for a modifier that is no layout of time. KLOG_USAGE for one that cannot be read back. */
export function compileTimeInput(format: string, modifier: Modifier): TimeInput | undefined {
  const { name, argument, index } = modifier;
  const layout = argument === undefined ? name : `${name}[${argument}]`;
  switch (name) {
    case 'iso': {
      if (argument !== undefined && argument !== 'local') return undefined;
      const zone = argument === 'local' ? parseTimeZone('local') : UTC;
      return { layout: 'iso', read: readIso, zone, noTimestamp: NO_TIMESTAMP };
    }
    case 'go':
    case 'strftime': {
      const elements = name === 'go' ? goElements(argument ?? '') : strftimeElements(format, index, argument ?? '');
      const { read, aspects } = sequence(...elements.map((element) => readable(element, format, modifier)));
      const lacking = whatLacks(new Set(aspects));
      if (lacking !== undefined) throw formatError(format, index, `${name} cannot be read back without ${lacking}`);
      return { layout, read, zone: UTC, noTimestamp: NO_TIMESTAMP };
    }
    case 'rel':
      throw formatError(format, index, 'rel can only be printed: from when the distance is, the text does not say');
  }
  return undefined;
}

function readable(element: TimeElement | string, format: string, { name, index }: Modifier): TimeElement {
  if (typeof element !== 'string') return element;
  throw formatError(
    format,
    index,
    `${name} can print ${element}, but not read it`,
    'For times that are read, use iso.',
  );
}

function whatLacks(aspects: ReadonlySet<TimeAspect>): string | undefined {
  if (aspects.has('epoch')) return undefined;
  if (!aspects.has('year')) return 'the year';
  if (!aspects.has('yearDay')) {
    if (!aspects.has('month')) return 'the month';
    if (!aspects.has('day')) return 'the day';
  }
  return aspects.has('hour12') && !aspects.has('half') ? 'AM or PM' : undefined;
}

const { month, day, hour, minute, second } = ELEMENTS;
const readFraction = fraction('.', 9, true).read;
const readOffset = offset(true, 2, true).read;

/**
 * As printed, and without seconds, fraction, zone or the time of day. Years that have not four digits have a sign and
 * six.
 */
const readIso: TimeRead = (text, fields) => {
  const isLong = text.takes('+') || text.peek() === '-';
  fields.year = text.digits(isLong ? 6 : 4);
  const isDate = text.takes('-') && month.read(text, fields) && text.takes('-') && day.read(text, fields);
  if (!isDate || Number.isNaN(fields.year) || !text.takes('T')) return isDate && !Number.isNaN(fields.year);
  if (!hour.read(text, fields) || !text.takes(':') || !minute.read(text, fields)) return false;
  if (text.takes(':') && !(second.read(text, fields) && readFraction(text, fields))) return false;
  if (/[-+Zz]/.test(text.peek())) return readOffset(text, fields);
  return true;
};
