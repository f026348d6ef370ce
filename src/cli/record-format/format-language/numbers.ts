/**
 * How number verbs are printed and read. Widths cut: `{hex8}` of 258 is `02`, as in 64-bit two's complement.
 *
 * | modifier                            | printed as                                | read as            |
 * |-------------------------------------|-------------------------------------------|--------------------|
 * | `ascii` `number` (default)          | decimal digits                            | digits up to a non-digit |
 * | `hex64 hex32 hex16 hex8 hex4`       | 16, 8, 4, 2, 1 hex digits                 | so many            |
 * | `hex`                               | as many hex digits as needed              | hex digits up to a literal that begins with none |
 * | `big64 … big8` `little64 … little8` | 8, 4, 2, 1 bytes                          | so many            |
 * | `byte`                              | one byte                                  | one byte           |
 * | `bool`                              | `true`, `false` for 0                     | `true`, `false`    |
 */
import type { OutputBuffer } from '../output-buffer.js';

export type NumberWriter = (n: number, out: OutputBuffer) => void;

const TWO_POW_32 = 0x1_0000_0000;
const HEX_DIGITS = '0123456789abcdef';

/** The high and low half of the 64-bit two's complement of an exact integer. */
function highHalf(n: number): number {
  return Math.floor(n / TWO_POW_32) >>> 0;
}

function writeHexDigits(bits: number, digits: number, out: OutputBuffer): void {
  for (let shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    out.writeByte(HEX_DIGITS.charCodeAt((bits >>> shift) & 15));
  }
}

function writeBig(bits: number, bytes: number, out: OutputBuffer): void {
  for (let shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.writeByte((bits >>> shift) & 255);
}

function writeLittle(bits: number, bytes: number, out: OutputBuffer): void {
  for (let shift = 0; shift < bytes * 8; shift += 8) out.writeByte((bits >>> shift) & 255);
}

const writeAscii: NumberWriter = (n, out) => out.writeNumber(n);
const writeOneByte: NumberWriter = (n, out) => out.writeByte(n & 255);

const NUMBER_WRITERS: Readonly<Record<string, NumberWriter>> = {
  ascii: writeAscii,
  number: writeAscii,
  hex64: (n, out) => {
    writeHexDigits(highHalf(n), 8, out);
    writeHexDigits(n >>> 0, 8, out);
  },
  hex32: (n, out) => writeHexDigits(n >>> 0, 8, out),
  hex16: (n, out) => writeHexDigits(n >>> 0, 4, out),
  hex8: (n, out) => writeHexDigits(n >>> 0, 2, out),
  hex4: (n, out) => writeHexDigits(n >>> 0, 1, out),
  hex: (n, out) => out.writeAscii(n < 0 ? BigInt.asUintN(64, BigInt(n)).toString(16) : n.toString(16)),
  big64: (n, out) => {
    writeBig(highHalf(n), 4, out);
    writeBig(n >>> 0, 4, out);
  },
  big32: (n, out) => writeBig(n >>> 0, 4, out),
  big16: (n, out) => writeBig(n >>> 0, 2, out),
  big8: writeOneByte,
  little64: (n, out) => {
    writeLittle(n >>> 0, 4, out);
    writeLittle(highHalf(n), 4, out);
  },
  little32: (n, out) => writeLittle(n >>> 0, 4, out),
  little16: (n, out) => writeLittle(n >>> 0, 2, out),
  little8: writeOneByte,
  byte: writeOneByte,
  bool: (n, out) => out.writeAscii(n === 0 ? 'false' : 'true'),
};

export function numberWriterNamed(name: string): NumberWriter | undefined {
  return Object.hasOwn(NUMBER_WRITERS, name) ? NUMBER_WRITERS[name] : undefined;
}

export const writeDecimal = writeAscii;
export const writeBig32 = NUMBER_WRITERS.big32!;

export const NUMBER_MODIFIERS = Object.keys(NUMBER_WRITERS).join(' ');

/** How many bytes of the input a number of fixed width takes, and how they are read. `signed` widths wrap. */
export interface NumberReader {
  readonly bytes: number;
  /** NaN for digits that are none; Infinity beyond ±(2^53 - 1). */
  readonly read: (source: Uint8Array, position: number, signed: boolean) => number;
}

function fromHalves(high: number, low: number, signed: boolean): number {
  const top = signed ? high | 0 : high >>> 0;
  const n = top * TWO_POW_32 + (low >>> 0);
  return Number.isSafeInteger(n) ? n : Number.POSITIVE_INFINITY;
}

function narrow(bits: number, bytes: number, signed: boolean): number {
  if (!signed || bytes === 1) return bits >>> 0;
  return bytes === 2 ? (bits << 16) >> 16 : bits | 0;
}

function bigBits(source: Uint8Array, position: number, bytes: number): number {
  let bits = 0;
  for (let i = 0; i < bytes; i++) bits = (bits << 8) | source[position + i]!;
  return bits;
}

function littleBits(source: Uint8Array, position: number, bytes: number): number {
  let bits = 0;
  for (let i = bytes - 1; i >= 0; i--) bits = (bits << 8) | source[position + i]!;
  return bits;
}

function hexBits(source: Uint8Array, position: number, digits: number): number {
  let bits = 0;
  for (let i = 0; i < digits; i++) {
    const digit = hexDigit(source[position + i]!);
    if (digit < 0) return Number.NaN;
    bits = (bits << 4) | digit;
  }
  return bits >>> 0;
}

/** The value of a hex digit, or -1. */
export function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function bigReader(bytes: number): NumberReader {
  return { bytes, read: (source, position, signed) => narrow(bigBits(source, position, bytes), bytes, signed) };
}

function littleReader(bytes: number): NumberReader {
  return { bytes, read: (source, position, signed) => narrow(littleBits(source, position, bytes), bytes, signed) };
}

function hexReader(digits: number): NumberReader {
  return {
    bytes: digits,
    read: (source, position, signed) => {
      const bits = hexBits(source, position, digits);
      return Number.isNaN(bits) ? bits : narrow(bits, digits / 2, signed && digits >= 4);
    },
  };
}

const BYTE_READER = bigReader(1);

const NUMBER_READERS: Readonly<Record<string, NumberReader>> = {
  hex64: {
    bytes: 16,
    read: (source, position, signed) => {
      const high = hexBits(source, position, 8);
      const low = hexBits(source, position + 8, 8);
      return Number.isNaN(high) || Number.isNaN(low) ? Number.NaN : fromHalves(high, low, signed);
    },
  },
  hex32: hexReader(8),
  hex16: hexReader(4),
  hex8: hexReader(2),
  hex4: hexReader(1),
  big64: {
    bytes: 8,
    read: (source, position, signed) =>
      fromHalves(bigBits(source, position, 4), bigBits(source, position + 4, 4), signed),
  },
  big32: bigReader(4),
  big16: bigReader(2),
  big8: BYTE_READER,
  little64: {
    bytes: 8,
    read: (source, position, signed) =>
      fromHalves(littleBits(source, position + 4, 4), littleBits(source, position, 4), signed),
  },
  little32: littleReader(4),
  little16: littleReader(2),
  little8: BYTE_READER,
  byte: BYTE_READER,
};

export function numberReaderNamed(name: string): NumberReader | undefined {
  return Object.hasOwn(NUMBER_READERS, name) ? NUMBER_READERS[name] : undefined;
}
