import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  sizeOfUnsignedVarint,
  sizeOfVarint,
  sizeOfVarlong,
  VarintReader,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from '../../src/format/varint.js';
import { readValues } from './kafka-fixtures.js';

interface VarintValues {
  readonly zigzag: readonly { readonly value: string; readonly fitsInt32: boolean; readonly hex: string }[];
  readonly unsigned32: readonly { readonly value: string; readonly hex: string }[];
  readonly invalid: readonly {
    readonly hex: string;
    readonly readVarint: string | object;
    readonly readVarlong: string | object;
  }[];
}

const values = readValues<VarintValues>('varint');
const reader = new VarintReader();

type Write = (buffer: Uint8Array, position: number, n: number) => number;

function written(write: Write, n: number): string {
  const buffer = Buffer.alloc(12, 0xee);
  return buffer.toString('hex', 0, write(buffer, 0, n));
}

function read(method: 'readVarint' | 'readVarlong' | 'readUnsignedVarint', hex: string): number {
  const buffer = Buffer.from(hex, 'hex');
  reader.position = 0;
  const n = reader[method](buffer, buffer.length);
  expect(reader.position).toBe(buffer.length);
  return n;
}

describe("Kafka's encodings", () => {
  const safe = values.zigzag.filter(({ value }) => Number.isSafeInteger(Number(value)));
  const unsafe = values.zigzag.filter(({ value }) => !Number.isSafeInteger(Number(value)));

  it.each(safe)('varlong $value', ({ value, hex }) => {
    expect(written(writeVarlong, Number(value))).toBe(hex);
    expect(sizeOfVarlong(Number(value))).toBe(hex.length / 2);
    expect(read('readVarlong', hex)).toBe(Number(value));
  });

  it.each(values.zigzag.filter(({ fitsInt32 }) => fitsInt32))('varint $value', ({ value, hex }) => {
    expect(written(writeVarint, Number(value))).toBe(hex);
    expect(sizeOfVarint(Number(value))).toBe(hex.length / 2);
    expect(read('readVarint', hex)).toBe(Number(value));
  });

  it.each(values.unsigned32)('unsigned $value', ({ value, hex }) => {
    expect(written(writeUnsignedVarint, Number(value))).toBe(hex);
    expect(sizeOfUnsignedVarint(Number(value))).toBe(hex.length / 2);
    expect(read('readUnsignedVarint', hex)).toBe(Number(value) >>> 0);
  });

  it.each(unsafe)('refuses $value, which a number cannot hold, with the value in the message', ({ value, hex }) => {
    const call = () => read('readVarlong', hex);
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }));
    expect(call).toThrow(value);
  });
});

describe('what Kafka refuses', () => {
  const methods = ['readVarint', 'readVarlong'] as const;
  const cases = values.invalid.flatMap((vector) =>
    methods.map((method) => ({ method, hex: vector.hex, kafka: vector[method] })),
  );

  it.each(cases)('$method of $hex', ({ method, hex, kafka }) => {
    if (typeof kafka === 'string') expect(read(method, hex)).toBe(Number(kafka));
    else expect(() => read(method, hex)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
  });
});

describe('limits', () => {
  it.each([Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER])('holds %d exactly', (n) => {
    expect(read('readVarlong', written(writeVarlong, n))).toBe(n);
  });

  it('refuses -2^53 and 2^53 though the doubles exist', () => {
    expect(() => read('readVarlong', 'ffffffffffffff1f')).toThrow('-9007199254740992');
    expect(() => read('readVarlong', '8080808080808020')).toThrow('9007199254740992');
    expect(() => writeVarlong(Buffer.alloc(12), 0, 2 ** 53)).toThrow('9007199254740992');
  });

  it('skips a varlong of any size', () => {
    const buffer = Buffer.from('ffffffffffffffffff01', 'hex');
    reader.position = 0;
    reader.skipVarlong(buffer, buffer.length);
    expect(reader.position).toBe(10);
  });

  it('accepts an encoding longer than needed', () => {
    expect(read('readVarint', '8280808000')).toBe(1);
    expect(read('readVarlong', '82808080808080808000')).toBe(1);
  });

  it.each(['readVarint', 'readUnsignedVarint'] as const)('%s refuses a sixth byte', (method) => {
    expect(() => read(method, '808080808001')).toThrow('longer than 5 bytes');
  });

  it('readVarlong refuses an eleventh byte', () => {
    expect(() => read('readVarlong', '8080808080808080808001')).toThrow('longer than 10 bytes');
  });

  it.each(['readVarint', 'readVarlong', 'readUnsignedVarint'] as const)('%s stops at the end it is given', (method) => {
    const buffer = Buffer.from('ff8001', 'hex');
    reader.position = 1;
    expect(() => reader[method](buffer, 2)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
    reader.position = 3;
    expect(() => reader[method](buffer, 3)).toThrow(expect.objectContaining({ place: { position: 3 } }));
  });
});

describe('what is written is read again, in as many bytes as foretold', () => {
  const buffer = Buffer.alloc(12);

  it('varint', () => {
    fc.assert(
      fc.property(fc.integer(), (n) => {
        const end = writeVarint(buffer, 0, n);
        reader.position = 0;
        expect(reader.readVarint(buffer, end)).toBe(n);
        expect(sizeOfVarint(n)).toBe(end);
      }),
    );
  });

  it('varlong, at every magnitude', () => {
    const anyMagnitude = fc
      .tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 52 }))
      .map(([n, shift]) => Math.trunc(n / 2 ** shift) + 0);
    fc.assert(
      fc.property(anyMagnitude, (n) => {
        const end = writeVarlong(buffer, 0, n);
        reader.position = 0;
        expect(reader.readVarlong(buffer, end)).toBe(n);
        expect(sizeOfVarlong(n)).toBe(end);
      }),
    );
  });

  it('unsigned', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (n) => {
        const end = writeUnsignedVarint(buffer, 0, n);
        reader.position = 0;
        expect(reader.readUnsignedVarint(buffer, end)).toBe(n);
        expect(sizeOfUnsignedVarint(n)).toBe(end);
      }),
    );
  });
});
