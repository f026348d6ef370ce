import type { FuzzRandom } from './fuzz-random.js';
import { mutateBytes } from './mutate-bytes.js';

const LONGEST = 100_000;
const USUAL = 1_000;

const PIECES = [
  '',
  '0',
  '-1',
  '00',
  '1e999',
  '9007199254740993',
  '99999999999999999999',
  '-9223372036854775808',
  'NaN',
  'null',
  'true',
  '"',
  "'",
  '\\',
  '\\u0000',
  '\\ud800',
  '\u0000',
  '\u001b[2J',
  '\u202e',
  'é',
  '💥',
  '\ufeff',
  '\r\n',
  '\n',
  '\t',
  ' ',
  '{',
  '}',
  '[',
  ']',
  '{}',
  '[]',
  '[[[[[[[[',
  '{"a":',
  ':',
  ',',
  '=',
  '%',
  '%%',
  '%v',
  '%k',
  '%{',
  '%}',
  '%h{',
  '%d{',
  '%v{',
  '{hex',
  'base64',
  'json',
  '..',
  '.',
  '/',
  '../',
  '@',
  '@@',
  's@',
  'e@',
  '+',
  '-',
  ':0',
  '__proto__',
  'constructor',
  'toString',
  '1h',
  '5m',
  '-15m',
  '2020-01-01',
  'T00:00:00Z',
  'yesterday',
  'now',
  '*',
  '&a',
  '*a',
  '!!js/function',
  '<<: *a',
];

/** Text with pieces of its language, and of others, in the wrong places. */
export function mutateText(source: string, random: FuzzRandom, seeds: readonly string[]): string {
  let text = source;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(text.length + 1);
    switch (random.below(8)) {
      case 0:
        text = text.slice(0, at) + text.slice(at + 1 + random.below(4));
        break;
      case 1: {
        const other = random.pick(seeds);
        text = text.slice(0, at) + other.slice(random.below(other.length + 1));
        break;
      }
      case 2:
        text = mutateBytes(Buffer.from(text), random).toString();
        break;
      case 3:
        text = text.replace(/-?\d+/, String(random.number()));
        break;
      case 4:
        text = text.slice(0, at) + repeated(text.slice(at), random);
        break;
      default:
        text = text.slice(0, at) + random.pick(PIECES) + text.slice(at);
    }
  }
  return text.slice(0, LONGEST);
}

/** Mostly a few times: what is short is met soon. Now and then so often that anything that is not linear shows. */
function repeated(text: string, random: FuzzRandom): string {
  const most = random.chance(0.004) ? LONGEST : USUAL;
  const times = 1 + random.below(most === LONGEST ? LONGEST : 20);
  return text.repeat(Math.max(1, Math.min(times, Math.ceil(most / (text.length + 1)))));
}
