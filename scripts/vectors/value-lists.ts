/** The single functions of src/format against lists of their results. */
import { crc32 } from 'node:zlib';
import { KlogError } from '../../src/errors.js';
import { crc32c, crc32cInJavaScript } from '../../src/format/crc32c.js';
import { murmur2, partitionForKey } from '../../src/format/murmur2.js';
import {
  collidesWith,
  hasCollisionCharacters,
  isInternalTopic,
  isValidTopicName,
} from '../../src/format/topic-name.js';
import { uuidFromText, uuidToText } from '../../src/format/uuid.js';
import {
  sizeOfUnsignedVarint,
  sizeOfVarint,
  sizeOfVarlong,
  VarintReader,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from '../../src/format/varint.js';
import { firstDifference } from './compare.js';
import { exceedsSafeInteger, isRefusal } from './refusal.js';

/** Collects what does not match, and what klog refuses as it must. */
export class ValueCheck {
  checked = 0;
  readonly differences: string[] = [];
  /** Values beyond 2^53 - 1. */
  readonly refused: string[] = [];

  equal(what: string, expected: unknown, found: unknown): void {
    this.checked++;
    const difference = firstDifference(expected, found, what);
    if (difference !== undefined) this.differences.push(difference);
  }

  /** `read` gives the number that `decimal` writes, or refuses it if (and only if) it is beyond 2^53 - 1. */
  exactOrRefused(what: string, decimal: string, read: () => number): void {
    const found = outcomeOf(read);
    if (!exceedsSafeInteger(decimal)) {
      this.equal(what, Number(decimal), found);
    } else if (isRefusal(found)) {
      this.checked++;
      this.refused.push(decimal);
    } else {
      this.equal(what, `a refusal of ${decimal}`, found instanceof Error ? found.message : found);
    }
  }
}

interface Crcs {
  vectors: { hex: string; crc32c: number; crc32: number }[];
}

export function runCrcs({ vectors }: Crcs, check: ValueCheck): void {
  for (const { hex, crc32c: castagnoli, crc32: ieee } of vectors) {
    const bytes = Buffer.from(hex, 'hex');
    const split = bytes.length >> 1;
    check.equal(`crc32c(${hex})`, castagnoli, crc32c(bytes, 0, bytes.length));
    check.equal(`crc32c(${hex}) in JavaScript`, castagnoli, crc32cInJavaScript(bytes, 0, bytes.length));
    check.equal(`crc32c(${hex}) in two steps`, castagnoli, crc32c(bytes, split, bytes.length, crc32c(bytes, 0, split)));
    // What the old message formats are checked with.
    check.equal(`crc32(${hex})`, ieee, crc32(bytes));
  }
}

interface Hashes {
  vectors: { keyHex: string; hash: number; partitionOf: Record<string, number> }[];
}

export function runMurmur2({ vectors }: Hashes, check: ValueCheck): void {
  for (const { keyHex, hash, partitionOf } of vectors) {
    const key = Buffer.from(keyHex, 'hex');
    check.equal(`murmur2(${keyHex})`, hash, murmur2(key, 0, key.length));
    for (const [partitions, partition] of Object.entries(partitionOf)) {
      const found = partitionForKey(key, 0, key.length, Number(partitions));
      check.equal(`partition of ${keyHex} among ${partitions}`, partition, found);
    }
  }
}

interface Varints {
  zigzag: { value: string; fitsInt32: boolean; hex: string }[];
  unsigned32: { value: string; hex: string }[];
  invalid: { hex: string; readVarint: string | { error: string }; readVarlong: string | { error: string } }[];
}

export function runVarints({ zigzag, unsigned32, invalid }: Varints, check: ValueCheck): void {
  const reader = new VarintReader();
  for (const { value, fitsInt32, hex } of zigzag) {
    const bytes = Buffer.from(hex, 'hex');
    check.exactOrRefused(`varlong ${hex}`, value, () => {
      reader.position = 0;
      return reader.readVarlong(bytes, bytes.length);
    });
    if (!exceedsSafeInteger(value)) {
      check.equal(`varlong ${value}`, hex, written(writeVarlong, Number(value)));
      check.equal(`size of varlong ${value}`, bytes.length, sizeOfVarlong(Number(value)));
    }
    if (!fitsInt32) continue;
    reader.position = 0;
    check.equal(`varint ${hex}`, Number(value), reader.readVarint(bytes, bytes.length));
    check.equal(`bytes read of varint ${hex}`, bytes.length, reader.position);
    check.equal(`varint ${value}`, hex, written(writeVarint, Number(value)));
    check.equal(`size of varint ${value}`, bytes.length, sizeOfVarint(Number(value)));
  }
  for (const { value, hex } of unsigned32) {
    const bytes = Buffer.from(hex, 'hex');
    reader.position = 0;
    check.equal(`unsigned varint ${hex}`, Number(value), reader.readUnsignedVarint(bytes, bytes.length));
    check.equal(`unsigned varint ${value}`, hex, written(writeUnsignedVarint, Number(value)));
    check.equal(`size of unsigned varint ${value}`, bytes.length, sizeOfUnsignedVarint(Number(value)));
  }
  for (const { hex, readVarint, readVarlong } of invalid) {
    const bytes = Buffer.from(hex, 'hex');
    for (const [name, expected, read] of [
      ['varint', readVarint, () => reader.readVarint(bytes, bytes.length)],
      ['varlong', readVarlong, () => reader.readVarlong(bytes, bytes.length)],
    ] as const) {
      reader.position = 0;
      const found = outcomeOf(read);
      if (typeof expected === 'string') {
        check.equal(`${name} ${hex}`, Number(expected), found);
      } else {
        const code = found instanceof KlogError ? found.code : found;
        check.equal(`${name} ${hex} (${expected.error} in Kafka)`, 'CORRUPT_MESSAGE', code);
      }
    }
  }
}

interface TopicsAndUuids {
  names: { name: string; valid: boolean; collisionChars: boolean; internal: boolean }[];
  collisions: [string, string, boolean][];
  uuids: { hex: string; text: string }[];
}

export function runTopicsAndUuids({ names, collisions, uuids }: TopicsAndUuids, check: ValueCheck): void {
  for (const { name, valid, collisionChars, internal } of names) {
    const title = `topic name ${JSON.stringify(name)}`;
    check.equal(`${title} valid`, valid, isValidTopicName(name));
    check.equal(`${title} collision characters`, collisionChars, hasCollisionCharacters(name));
    check.equal(`${title} internal`, internal, isInternalTopic(name));
  }
  for (const [name, other, collide] of collisions) {
    check.equal(`${name} collides with ${other}`, collide, collidesWith(name, other));
    check.equal(`${other} collides with ${name}`, collide, collidesWith(other, name));
  }
  for (const { hex, text } of uuids) {
    check.equal(`UUID ${hex}`, text, uuidToText(Buffer.from(hex, 'hex')));
    check.equal(`UUID ${text}`, hex, Buffer.from(uuidFromText(text)).toString('hex'));
  }
}

function written(write: (buffer: Uint8Array, position: number, n: number) => number, n: number): string {
  const buffer = Buffer.alloc(16);
  return buffer.subarray(0, write(buffer, 0, n)).toString('hex');
}

function outcomeOf<T>(run: () => T): T | unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
