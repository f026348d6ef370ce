/**
 * Numbers that JavaScript would change: an id that comes back as another number is worse than an error. Integers have
 * to be exact; fractions are as near as they are everywhere, but not infinite.
 */

const NUMBER = /-?\d+(\.\d+)?([eE][-+]?\d+)?/y;
/** Without any of these all numbers are exact. */
const SUSPICIOUS = /\d{16}|\d[eE]/;
const QUOTE = 0x22;

/** The first number of a JSON text that is not what `JSON.parse` makes of it. */
export function inexactNumber(json: string): string | undefined {
  if (!SUSPICIOUS.test(json)) return undefined;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(json, at);
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const [digits, fraction, exponent] = NUMBER.exec(json)!;
      const n = Number(digits);
      const isInteger = fraction === undefined && exponent === undefined;
      if (!Number.isFinite(n) || (isInteger && !Number.isSafeInteger(n) && BigInt(digits) !== BigInt(n))) return digits;
      at += digits.length - 1;
    }
  }
  return undefined;
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}
