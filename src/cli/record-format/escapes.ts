/**
 * The one set of escapes of `-D`, `-K` and `-f`: `\t \n \r \0 \\ \xNN` (exactly two hex digits, any byte).
 */
import { KlogError } from '../../errors.js';
import { argumentBytes } from '../argument-bytes.js';

const HINT = 'Escapes are \\t \\n \\r \\0 \\\\ and \\xNN with two hex digits.';

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, r: 0x0d, '0': 0x00, '\\': 0x5c };

/**
 * The byte that the escape at `index` (the position of its backslash) stands for. The length of
 * the escape is 4 for `\xNN` and 2 otherwise, see {@link escapeLength}. Throws KLOG_USAGE naming the escape, `what` it
 * stands in, and its position from 1.
 */
export function readEscape(text: string, index: number, what: string): number {
  const letter = text[index + 1];
  if (letter === undefined) {
    throw new KlogError('KLOG_USAGE', `${what} ends in a lone backslash (position ${index + 1})`, { hint: HINT });
  }
  if (letter === 'x') {
    const digits = text.slice(index + 2, index + 4);
    if (/^[0-9a-fA-F]{2}$/.test(digits)) return Number.parseInt(digits, 16);
    throw new KlogError(
      'KLOG_USAGE',
      `Bad escape "\\x${digits}" in ${what} at position ${index + 1}: two hex digits must follow \\x`,
      { hint: HINT },
    );
  }
  const byte = Object.hasOwn(SIMPLE_ESCAPES, letter) ? SIMPLE_ESCAPES[letter] : undefined;
  if (byte !== undefined) return byte;
  const shown = String.fromCodePoint(text.codePointAt(index + 1)!);
  throw new KlogError('KLOG_USAGE', `Unknown escape "\\${shown}" in ${what} at position ${index + 1}`, { hint: HINT });
}

/** Characters taken by the escape at `index`. */
export function escapeLength(text: string, index: number): number {
  return text[index + 1] === 'x' ? 4 : 2;
}

/**
 * The bytes of text with escapes; other characters are UTF-8. `what` names the flag in messages.
 * KLOG_USAGE for an unknown escape.
 */
export function unescapeText(text: string, what: string): Buffer {
  const parts: Buffer[] = [];
  let plainFrom = 0;
  let index = 0;
  while (index < text.length) {
    if (text[index] !== '\\') {
      index++;
      continue;
    }
    parts.push(argumentBytes(text.slice(plainFrom, index)), Buffer.from([readEscape(text, index, what)]));
    index += escapeLength(text, index);
    plainFrom = index;
  }
  parts.push(argumentBytes(text.slice(plainFrom)));
  return Buffer.concat(parts);
}

/** A delimiter or separator: as {@link unescapeText}, and never empty. */
export function parseDelimiter(text: string, what: string): Buffer {
  if (text === '') {
    throw new KlogError('KLOG_USAGE', `${what} is empty`, { hint: 'Use -0 for a NUL byte, or \\n for a newline.' });
  }
  return unescapeText(text, what);
}
