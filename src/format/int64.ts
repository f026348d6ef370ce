/**
 * Big-endian 64-bit integers as JavaScript numbers: exact, or refused. Offsets, timestamps and producer ids of real
 * logs stay far below 2^53, and a number is several times faster than a BigInt on the path of every record.
 */
import { KlogError } from '../errors.js';

const TWO_POW_32 = 0x1_0000_0000;

/** Reads a signed 64-bit integer. Beyond ±(2^53 - 1): INVALID_RECORD, naming `field`. */
export function readInt64(buffer: Uint8Array, position: number, field = 'field'): number {
  const high = readInt32(buffer, position);
  const low = readInt32(buffer, position + 4) >>> 0;
  // The high half of ±(2^53 - 1) lies in [-2^21, 2^21); only -2^53 itself passes that and must be told apart.
  if (high >= 0x20_0000 || high < -0x20_0000 || (high === -0x20_0000 && low === 0)) {
    throw beyondSafeInteger(field, (BigInt(high) << 32n) | BigInt(low), position);
  }
  return high * TWO_POW_32 + low;
}

/** Writes a signed 64-bit integer. Beyond ±(2^53 - 1): INVALID_RECORD, naming `field`. */
export function writeInt64(buffer: Uint8Array, position: number, n: number, field = 'field'): void {
  if (!Number.isSafeInteger(n)) throw beyondSafeInteger(field, n);
  // For a negative n the floor and the wrap of `| 0` together are two's complement.
  writeInt32(buffer, position, Math.floor(n / TWO_POW_32));
  writeInt32(buffer, position + 4, n % TWO_POW_32);
}

export function readInt16(buffer: Uint8Array, position: number): number {
  return ((buffer[position]! << 24) >> 16) | buffer[position + 1]!;
}

export function writeInt16(buffer: Uint8Array, position: number, n: number): void {
  buffer[position] = n >>> 8;
  buffer[position + 1] = n;
}

export function readInt32(buffer: Uint8Array, position: number): number {
  return (
    (buffer[position]! << 24) | (buffer[position + 1]! << 16) | (buffer[position + 2]! << 8) | buffer[position + 3]!
  );
}

/** Writes the low 32 bits of `n`, so signed and unsigned numbers alike. */
export function writeInt32(buffer: Uint8Array, position: number, n: number): void {
  buffer[position] = n >>> 24;
  buffer[position + 1] = n >>> 16;
  buffer[position + 2] = n >>> 8;
  buffer[position + 3] = n;
}

export function beyondSafeInteger(field: string, found: number | bigint, position?: number): KlogError {
  const where = position === undefined ? '' : ` at position ${position}`;
  return new KlogError(
    'INVALID_RECORD',
    `The ${field}${where} is ${found}: a 64-bit value beyond 2^53 - 1 cannot be represented exactly`,
    { position },
  );
}
