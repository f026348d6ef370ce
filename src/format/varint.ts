/**
 * Variable-length integers: base 128, least significant group first, the high bit of a byte says "more follows".
 *
 * Signed ones (record fields) are zigzagged first, so that small negative numbers stay short:
 * `0 → 00   -1 → 01   1 → 02   63 → 7e   -64 → 7f   64 → 80 01`. A varint has at most 5 bytes, a varlong at most 10;
 * encodings longer than needed are accepted within those limits, as Kafka accepts them. Unsigned ones are used by
 * Kafka's flexible schemas.
 *
 * A varlong is a 64-bit number in Kafka; here it is exact up to ±(2^53 - 1) and refused beyond.
 */
import { KlogError } from '../errors.js';
import { beyondSafeInteger } from './int64.js';

const TWO_POW_32 = 0x1_0000_0000;

/** Bytes of a zigzagged 32-bit number. */
export function sizeOfVarint(n: number): number {
  return sizeOfUnsignedVarint((n << 1) ^ (n >> 31));
}

/** Bytes of a zigzagged number up to ±(2^53 - 1). */
export function sizeOfVarlong(n: number): number {
  if ((n | 0) === n) return sizeOfUnsignedVarint((n << 1) ^ (n >> 31));
  // The 2n bits of zigzag, counted without making 2n: n < 2^(7k - 1) fits k bytes.
  const magnitude = n < 0 ? -n - 1 : n;
  if (magnitude < 0x4_0000_0000) return 5;
  if (magnitude < 0x200_0000_0000) return 6;
  if (magnitude < 0x1_0000_0000_0000) return 7;
  return 8;
}

/** Bytes of an unsigned 32-bit number; a negative `n` counts as its bit pattern. */
export function sizeOfUnsignedVarint(n: number): number {
  if ((n & ~0x7f) === 0) return 1;
  if ((n & ~0x3fff) === 0) return 2;
  if ((n & ~0x1f_ffff) === 0) return 3;
  if ((n & ~0xfff_ffff) === 0) return 4;
  return 5;
}

/** Writes a zigzagged 32-bit number and returns the position behind it. The caller has made room for 5 bytes. */
export function writeVarint(buffer: Uint8Array, position: number, n: number): number {
  return writeUnsignedVarint(buffer, position, (n << 1) ^ (n >> 31));
}

/** Writes a zigzagged number up to ±(2^53 - 1) and returns the position behind it: up to 8 bytes. */
export function writeVarlong(buffer: Uint8Array, position: number, n: number): number {
  if ((n | 0) === n) return writeUnsignedVarint(buffer, position, (n << 1) ^ (n >> 31));
  if (!Number.isSafeInteger(n)) throw beyondSafeInteger('varlong', n);
  // zigzag(n) = 2 * magnitude + sign, as two 32-bit halves.
  const sign = n < 0 ? 1 : 0;
  const magnitude = sign === 1 ? -n - 1 : n;
  let low = (((magnitude % TWO_POW_32) << 1) | sign) >>> 0;
  let high = Math.floor(magnitude / 0x8000_0000);
  while (high !== 0 || low > 0x7f) {
    buffer[position++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  buffer[position++] = low;
  return position;
}

/** Writes an unsigned 32-bit number (a negative `n` as its bit pattern) and returns the position behind it. */
export function writeUnsignedVarint(buffer: Uint8Array, position: number, n: number): number {
  while ((n & ~0x7f) !== 0) {
    buffer[position++] = (n & 0x7f) | 0x80;
    n >>>= 7;
  }
  buffer[position++] = n;
  return position;
}

/**
 * Reads varints one behind the other from any buffer: set `position`, read, and find `position` moved behind.
 * One object serves for ever, so that reading allocates nothing. Every method throws CORRUPT_MESSAGE when the
 * number does not end before `end` or is longer than it may be; `position` then stays where the number begins.
 */
export class VarintReader {
  position = 0;

  /** A zigzagged 32-bit number. */
  readVarint(buffer: Uint8Array, end: number): number {
    const bits = this.readUnsignedVarint(buffer, end);
    return (bits >>> 1) ^ -(bits & 1);
  }

  /** An unsigned 32-bit number. Bits beyond the 32nd in a fifth byte are ignored, as Kafka ignores them. */
  readUnsignedVarint(buffer: Uint8Array, end: number): number {
    const start = this.position;
    let position = start;
    let bits = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (position >= end) throw cutShort(start);
      const byte = buffer[position++]!;
      bits |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = position;
        return bits >>> 0;
      }
    }
    throw new KlogError('CORRUPT_MESSAGE', `The varint at position ${start} is longer than 5 bytes`, {
      position: start,
    });
  }

  /** A zigzagged 64-bit number. Beyond ±(2^53 - 1): INVALID_RECORD, naming `field`. */
  readVarlong(buffer: Uint8Array, end: number, field = 'varlong'): number {
    const start = this.position;
    this.#readUnsigned64(buffer, end);
    const sign = this.#low & 1;
    if (this.#high >= 0x40_0000) throw beyondSafeInteger(field, this.#unzigzagged(), start);
    // magnitude = the 64 bits >>> 1, below 2^53.
    const magnitude = this.#high * 0x8000_0000 + (this.#low >>> 1);
    if (sign === 0) return magnitude;
    if (magnitude === Number.MAX_SAFE_INTEGER) throw beyondSafeInteger(field, this.#unzigzagged(), start);
    return -magnitude - 1;
  }

  /** Moves behind a zigzagged 64-bit number of any size without looking at its value. */
  skipVarlong(buffer: Uint8Array, end: number): void {
    this.#readUnsigned64(buffer, end);
  }

  /** The halves of the last 64-bit number, unsigned, before zigzag is undone. */
  #low = 0;
  #high = 0;

  #readUnsigned64(buffer: Uint8Array, end: number): void {
    const start = this.position;
    let position = start;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (position >= end) throw cutShort(start);
      const byte = buffer[position++]!;
      const group = byte & 0x7f;
      if (shift < 28) {
        low |= group << shift;
      } else if (shift === 28) {
        low |= group << 28;
        high = group >>> 4;
      } else {
        high |= group << (shift - 32);
      }
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        this.position = position;
        return;
      }
    }
    throw new KlogError('CORRUPT_MESSAGE', `The varlong at position ${start} is longer than 10 bytes`, {
      position: start,
    });
  }

  #unzigzagged(): bigint {
    const bits = (BigInt(this.#high) << 32n) | BigInt(this.#low);
    return BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n));
  }
}

function cutShort(start: number): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `The varint at position ${start} does not end before its block does`, {
    position: start,
  });
}
