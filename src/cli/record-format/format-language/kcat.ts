/**
 * kcat's own `-f`, whole: `-f kcat:'…'`. It differs from klog's language in `%T` (time, not a length), in `%K` (-1 for a null
 * key) and in its escapes, and knows no modifiers.
 *
 * `%s` value · `%S` its length · `%R` its length as a big-endian int32 · `%k` key · `%K` its length · `%T` timestamp in ms ·
 * `%h` headers `n=v,n=v` · `%t` topic · `%p` partition · `%o` offset · `%%`. Lengths of null are -1.
 * `\n \r \t`, `\NNN` (octal with a leading 0, else decimal), `\xNN`; any other `\c` is c.
 */

import type { RecordCursor } from '../../../format/record-cursor.js';
import type { FormatContext, RecordFormatter } from '../format-context.js';
import { Constant } from '../output-buffer.js';
import { formatError } from './layout.js';
import { writeBig32 } from './numbers.js';
import { kcatHeaders, type OutputFormatOptions } from './output-formatter.js';
import { compileText } from './text.js';

const NUMBERS: Readonly<Record<string, (cursor: RecordCursor, context: FormatContext) => number>> = {
  S: (cursor) => (cursor.valueStart < 0 ? -1 : cursor.valueEnd - cursor.valueStart),
  K: (cursor) => (cursor.keyStart < 0 ? -1 : cursor.keyEnd - cursor.keyStart),
  T: (cursor) => cursor.timestamp,
  p: (_cursor, context) => context.partition,
  o: (cursor) => cursor.offset,
};

/** `format` is what stands behind `kcat:`. KLOG_USAGE for an unknown verb. */
export function compileKcatFormat(format: string, options: OutputFormatOptions): RecordFormatter {
  const steps: RecordFormatter[] = [];
  const literal: Buffer[] = [];
  const endLiteral = () => {
    if (literal.length === 0) return;
    const bytes = new Constant(Buffer.concat(literal.splice(0)));
    steps.push((_cursor, _context, out) => out.writeConstant(bytes));
  };
  let index = 0;
  while (index < format.length) {
    const character = String.fromCodePoint(format.codePointAt(index)!);
    if (character === '\\') {
      const found = readKcatEscape(format, index);
      literal.push(found.bytes);
      index += found.length;
    } else if (character !== '%') {
      literal.push(Buffer.from(character));
      index += character.length;
    } else if (format[index + 1] === '%') {
      literal.push(Buffer.from('%'));
      index += 2;
    } else {
      endLiteral();
      steps.push(compileVerb(format, index, options));
      index += 2;
    }
  }
  endLiteral();
  return (cursor, context, out) => {
    for (let i = 0; i < steps.length; i++) steps[i]!(cursor, context, out);
  };
}

function compileVerb(format: string, index: number, options: OutputFormatOptions): RecordFormatter {
  const letter = format[index + 1] ?? '';
  const number = Object.hasOwn(NUMBERS, letter) ? NUMBERS[letter] : undefined;
  if (number !== undefined) return (cursor, context, out) => out.writeNumber(number(cursor, context));
  const text = compileText(
    format,
    { kind: 'verb', verb: letter, modifiers: [], braced: false, inner: undefined, index },
    options,
  );
  switch (letter) {
    case 's':
      return (cursor, _context, out) => text(cursor.buffer, cursor.valueStart, cursor.valueEnd, out);
    case 'k':
      return (cursor, _context, out) => text(cursor.buffer, cursor.keyStart, cursor.keyEnd, out);
    case 't':
      return (_cursor, context, out) => out.writeText(context.topic);
    case 'R': {
      return (cursor, context, out) => writeBig32(NUMBERS.S!(cursor, context), out);
    }
    case 'h':
      return kcatHeaders(options);
  }
  throw formatError(
    format,
    index,
    letter === '' ? 'a lone % ends the format' : `kcat does not know %${letter}`,
    'It knows %s %S %R %k %K %T %h %t %p %o %%.',
  );
}

const LETTERS: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09 };

function readKcatEscape(format: string, index: number): { bytes: Buffer; length: number } {
  const rest = format.slice(index + 1);
  const numeric = /^(?:x([0-9a-fA-F]{1,2})|(0[0-7]{0,3})|([1-9][0-9]{0,2}))/.exec(rest);
  if (numeric !== null) {
    const [whole, hex, octal, decimal] = numeric;
    const byte = hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal ?? decimal!, octal ? 8 : 10);
    return { bytes: Buffer.from([byte & 255]), length: 1 + whole.length };
  }
  if (rest === '') return { bytes: Buffer.from('\\'), length: 1 };
  const character = String.fromCodePoint(rest.codePointAt(0)!);
  const byte = Object.hasOwn(LETTERS, character) ? LETTERS[character] : undefined;
  return { bytes: byte === undefined ? Buffer.from(character) : Buffer.from([byte]), length: 1 + character.length };
}
