/** Bytes as `-D` and `-K` take them: what is not printable ASCII is escaped. */
export function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += SHORT[byte] ?? (byte < 0x20 || byte > 0x7e ? hex(byte) : String.fromCharCode(byte));
  return text;
}

const SHORT: Readonly<Record<number, string>> = { 0: '\\0', 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
