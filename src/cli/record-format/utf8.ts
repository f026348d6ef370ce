/**
 * The length of the well-formed UTF-8 sequence at `i`, 1 to 4, or 0 where there is none: overlong forms, surrogates
 * (`ed a0`–`ed bf`), anything above U+10FFFF, a continuation without a start, a sequence that `end` cuts.
 */
export function utf8SequenceLength(source: Uint8Array, i: number, end: number): 0 | 1 | 2 | 3 | 4 {
  const first = source[i]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || i + 1 >= end) return 0;
  const second = source[i + 1]!;
  if ((second & 0xc0) !== 0x80) return 0;
  if (first < 0xe0) return 2;
  if (i + 2 >= end || (source[i + 2]! & 0xc0) !== 0x80) return 0;
  if (first < 0xf0) {
    if (first === 0xe0 && second < 0xa0) return 0;
    if (first === 0xed && second > 0x9f) return 0;
    return 3;
  }
  if (first > 0xf4 || i + 3 >= end || (source[i + 3]! & 0xc0) !== 0x80) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  return 4;
}

/** The end of the first `maxCharacters` characters; a byte that is no UTF-8 counts as one. */
export function endOfCharacters(source: Uint8Array, start: number, end: number, maxCharacters: number): number {
  if (end - start <= maxCharacters) return end;
  let i = start;
  for (let left = maxCharacters; left > 0 && i < end; left--) i += utf8SequenceLength(source, i, end) || 1;
  return i;
}

/** The code point of the well-formed sequence of `size` bytes at `i`. */
export function codePointAt(source: Uint8Array, i: number, size: 1 | 2 | 3 | 4): number {
  const first = source[i]!;
  if (size === 1) return first;
  const second = source[i + 1]! & 0x3f;
  if (size === 2) return ((first & 0x1f) << 6) | second;
  const third = source[i + 2]! & 0x3f;
  if (size === 3) return ((first & 0x0f) << 12) | (second << 6) | third;
  return ((first & 0x07) << 18) | (second << 12) | (third << 6) | (source[i + 3]! & 0x3f);
}

const SURROGATE = /\p{Surrogate}/u;

/** Such text has no UTF-8. */
export function hasLoneSurrogate(text: string): boolean {
  return SURROGATE.test(text);
}
