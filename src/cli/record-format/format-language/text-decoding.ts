/** Decoding of text that the input has in hex, base64, JSON, or with escapes. */
import { hexDigit } from './numbers.js';

/** Undefined when it is not what it should be. */
export function decodeHex(bytes: Uint8Array): Buffer | undefined {
  if (bytes.length % 2 !== 0) return undefined;
  const decoded = Buffer.allocUnsafe(bytes.length / 2);
  for (let i = 0; i < decoded.length; i++) {
    const high = hexDigit(bytes[2 * i]!);
    const low = hexDigit(bytes[2 * i + 1]!);
    if (high < 0 || low < 0) return undefined;
    decoded[i] = (high << 4) | low;
  }
  return decoded;
}

const NO_BASE64_DIGIT = /[^A-Za-z0-9+/]/;

/**
 * With or without padding. Nothing here repeats in an expression: on text of megabytes that overflows the stack, or
 * takes for ever.
 */
export function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  if (digits % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return false;
  return !NO_BASE64_DIGIT.test(padding === 0 ? text : text.slice(0, digits));
}

/** With or without padding. Undefined when it is not what it should be. */
export function decodeBase64(bytes: Uint8Array): Buffer | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return isBase64(text) ? Buffer.from(text, 'base64') : undefined;
}

const ESCAPES: Readonly<Record<number, number>> = { 116: 0x09, 110: 0x0a, 114: 0x0d, 48: 0x00, 92: 0x5c };

/**
 * Text with `\t \n \r \0 \\ \xNN`, such as `{c}` and tsv; or the position of the backslash that begins none of them.
 */
export function unescapeBytes(bytes: Uint8Array): Buffer | number {
  const decoded = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0x5c) {
      decoded[length++] = bytes[i]!;
      continue;
    }
    const letter = bytes[i + 1] ?? -1;
    const simple = ESCAPES[letter];
    if (simple !== undefined) {
      decoded[length++] = simple;
      i++;
      continue;
    }
    const high = letter === 0x78 && i + 3 < bytes.length ? hexDigit(bytes[i + 2]!) : -1;
    const low = high < 0 ? -1 : hexDigit(bytes[i + 3]!);
    if (low < 0) return i;
    decoded[length++] = (high << 4) | low;
    i += 3;
  }
  return decoded.subarray(0, length);
}

/** Valid JSON without the space between its parts; numbers and strings stay to the byte. */
export function compactJson(bytes: Uint8Array): Buffer {
  const compact = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (!inString && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)) continue;
    compact[length++] = byte;
    if (byte === 0x22) inString = !inString;
    else if (byte === 0x5c && inString && i + 1 < bytes.length) compact[length++] = bytes[++i]!;
  }
  return compact.subarray(0, length);
}
