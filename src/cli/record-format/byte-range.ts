/** Whether source[start, end) are these bytes. */
export function rangeEquals(source: Uint8Array, start: number, end: number, bytes: Uint8Array): boolean {
  if (end - start !== bytes.length) return false;
  for (let i = 0; i < bytes.length; i++) if (source[start + i] !== bytes[i]) return false;
  return true;
}
