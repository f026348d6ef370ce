import { createHash } from 'node:crypto';

const LONGEST_HEX = 4096;

/** Bytes as read_segment.py shows them: hex, or the length and SHA-256 of long ones. */
export function described(bytes: Uint8Array | null): string | object | null {
  if (bytes === null) return null;
  if (bytes.length <= LONGEST_HEX) return Buffer.from(bytes).toString('hex');
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
