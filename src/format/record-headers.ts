/** The headers of a record, as record-batch-builder.ts shows them. */
import type { ByteCopier } from './byte-copy.js';
import type { RecordHeader } from './log-record.js';
import { sizeOfVarint, type VarintReader, writeVarint } from './varint.js';

/** An empty key and a null value. */
const MINIMUM_HEADER_LENGTH = 2;

/** Bytes of all headers as they are encoded, their count left out. */
export function sizeOfHeaders(headers: readonly RecordHeader[]): number {
  let size = 0;
  for (const { key, value } of headers) {
    const keyLength = Buffer.byteLength(key);
    size += sizeOfVarint(keyLength) + keyLength;
    size += value === null ? 1 : sizeOfVarint(value.length) + value.length;
  }
  return size;
}

/** Writes them, without their count, into `target`, which `copier` copies to. Returns the position behind. */
export function writeHeaders(
  target: Buffer,
  copier: ByteCopier,
  headers: readonly RecordHeader[],
  position: number,
): number {
  let at = position;
  for (const { key, value } of headers) {
    const keyLength = Buffer.byteLength(key);
    at = writeVarint(target, at, keyLength);
    target.write(key, at);
    at += keyLength;
    at = writeVarint(target, at, value === null ? -1 : value.length);
    if (value !== null) {
      copier.copy(value, 0, value.length, at);
      at += value.length;
    }
  }
  return at;
}

/**
 * Moves `varints` behind `count` headers, none of which may pass `end`. Returns what is wrong with them, if anything
 * is.
 */
export function passHeaders(varints: VarintReader, buffer: Uint8Array, count: number, end: number): string | undefined {
  if (count < 0 || count > (end - varints.position) / MINIMUM_HEADER_LENGTH) return `has a header count of ${count}`;
  for (let i = 0; i < count; i++) {
    const keyLength = varints.readVarint(buffer, end);
    if (keyLength < 0 || keyLength > end - varints.position) return `has a header with a key length of ${keyLength}`;
    varints.position += keyLength;
    const valueLength = varints.readVarint(buffer, end);
    if (valueLength < -1 || valueLength > end - varints.position) {
      return `has a header with a value length of ${valueLength}`;
    }
    if (valueLength > 0) varints.position += valueLength;
  }
  return undefined;
}
