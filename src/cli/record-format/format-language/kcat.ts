/**
 * kcat's own `-f`, whole: `-f kcat:'…'`. It differs from klog's language in `%T` (time, not a length), in `%K` (-1 for
 * a null key) and in its escapes, and knows no modifiers.
 *
 * `%s` value · `%S` its length · `%R` its length as a big-endian int32 · `%k` key · `%K` its length · `%T` timestamp in
 * ms · `%h` headers `n=v,n=v` · `%t` topic · `%p` partition · `%o` offset · `%%`. Lengths of null are -1. `\n \r \t`,
 * `\NNN` (octal with a leading 0, else decimal), `\xNN`; any other `\c` is c.
 */
import { argumentBytes } from '../../argument-bytes.js';
import { formatError, type LayoutNode, type VerbNode } from './layout.js';

/** kcat's verbs as klog's. */
const VERBS: Readonly<Record<string, string>> = {
  s: 's',
  S: 'S',
  R: 'R',
  k: 'k',
  K: 'K',
  T: 'd',
  h: 'h',
  t: 't',
  p: 'p',
  o: 'o',
};

/** `format` is what stands behind `kcat:`. KLOG_USAGE for an unknown verb. */
export function parseKcatLayout(format: string): LayoutNode[] {
  const nodes: LayoutNode[] = [];
  const literal: Buffer[] = [];
  const endLiteral = () => {
    if (literal.length > 0) nodes.push({ kind: 'literal', bytes: Buffer.concat(literal.splice(0)) });
  };
  let index = 0;
  while (index < format.length) {
    const character = String.fromCodePoint(format.codePointAt(index)!);
    if (character === '\\') {
      const found = readKcatEscape(format, index);
      literal.push(found.bytes);
      index += found.length;
    } else if (character !== '%') {
      literal.push(argumentBytes(character));
      index += character.length;
    } else if (format[index + 1] === '%') {
      literal.push(Buffer.from('%'));
      index += 2;
    } else {
      endLiteral();
      nodes.push(verbAt(format, index));
      index += 2;
    }
  }
  endLiteral();
  return nodes;
}

function verbAt(format: string, index: number): VerbNode {
  const letter = format[index + 1] ?? '';
  const verb = Object.hasOwn(VERBS, letter) ? VERBS[letter] : undefined;
  if (verb === undefined) {
    const reason = letter === '' ? 'a lone % ends the format' : `kcat does not know %${letter}`;
    throw formatError(format, index, reason, 'It knows %s %S %R %k %K %T %h %t %p %o %%.');
  }
  const modifiers = letter === 'K' ? [{ name: 'null', argument: undefined, index }] : [];
  return { kind: 'verb', verb, modifiers, braced: false, inner: undefined, index };
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
