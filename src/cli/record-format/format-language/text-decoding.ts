/** Decoding of text that the input has in hex, base64 or JSON. */
import { hexDigit } from './numbers.js';

/** Undefined when it is not what it should be. */
export function decodeText(bytes: Uint8Array, encoding: 'hex' | 'base64'): Buffer | undefined {
  return encoding === 'hex' ? decodeHex(bytes) : decodeBase64(bytes);
}

function decodeHex(bytes: Uint8Array): Buffer | undefined {
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

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** With or without padding. */
function decodeBase64(bytes: Uint8Array): Buffer | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  const digits = text.replace(/=+$/, '').length;
  const paddingFits = text.length === digits || text.length % 4 === 0;
  if (!BASE64.test(text) || digits % 4 === 1 || !paddingFits) return undefined;
  return Buffer.from(text, 'base64');
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
