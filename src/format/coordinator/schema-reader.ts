/**
 * Reads the fields of Kafka's message schemas, one behind the other, from bytes that may be anything: a field that does
 * not end before the bytes do is CORRUPT_MESSAGE, and no count is believed that the bytes left could not hold.
 *
 * ```
 * field    plain                          flexible
 * string   i16 length (-1 null) + UTF-8   unsigned varint length + 1 (0 null) + UTF-8
 * bytes    i32 length (-1 null)           unsigned varint length + 1 (0 null)
 * array    i32 count (-1 null)            unsigned varint count + 1 (0 null)
 * struct   its fields                     its fields, then tagged fields: count, then (tag, size, bytes)…
 * ```
 */
import { KlogError } from '../../errors.js';
import { readInt16, readInt32, readInt64 } from '../int64.js';
import { VarintReader } from '../varint.js';

export class SchemaReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  readonly #varints = new VarintReader();
  #flexible = false;
  #position = 0;

  /** `what` names the schema in errors. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#what = what;
  }

  /** The version that keys and values begin with. `firstFlexible`: from which one on the schema is flexible. */
  version(firstFlexible = Number.POSITIVE_INFINITY): number {
    const version = this.int16('version');
    if (version < 0) throw this.#corrupt(`has version ${version}`);
    this.#flexible = version >= firstFlexible;
    return version;
  }

  int8(field: string): number {
    const at = this.#take(1, field);
    return (this.#bytes[at]! << 24) >> 24;
  }

  int16(field: string): number {
    return readInt16(this.#bytes, this.#take(2, field));
  }

  int32(field: string): number {
    return readInt32(this.#bytes, this.#take(4, field));
  }

  /** Beyond ±(2^53 - 1): INVALID_RECORD. */
  int64(field: string): number {
    return readInt64(this.#bytes, this.#take(8, field), field);
  }

  string(field: string): string {
    return this.nullableString(field) ?? this.#missing(field);
  }

  nullableString(field: string): string | null {
    const length = this.#flexible ? this.#compactLength(field) : this.int16(field);
    if (length === -1) return null;
    const at = this.#take(length, field);
    return this.#bytes.toString('utf8', at, at + length);
  }

  bytes(field: string): Uint8Array {
    return this.nullableBytes(field) ?? this.#missing(field);
  }

  /** A copy: it may be kept longer than the batch it came in. */
  nullableBytes(field: string): Uint8Array | null {
    const length = this.#length(field);
    if (length === -1) return null;
    const at = this.#take(length, field);
    return new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  array<T>(field: string, readItem: () => T): T[] {
    return this.nullableArray(field, readItem) ?? this.#missing(field);
  }

  nullableArray<T>(field: string, readItem: () => T): T[] | null {
    const count = this.#length(field);
    if (count === -1) return null;
    if (count < 0) throw this.#corrupt(`says it has ${count} ${field}`);
    // Every item has a byte at least: a larger count is a lie, and would be memory.
    if (count > this.#left()) throw this.#corrupt(`says it has ${count} ${field}, with ${this.#left()} bytes left`);
    const items: T[] = [];
    for (let n = 0; n < count; n++) items.push(readItem());
    return items;
  }

  /** Ends a struct: passes over the tagged fields of a flexible one, except those in `known`, which it reads. */
  taggedFields(known: ReadonlyMap<number, () => void> = NO_TAGS): void {
    if (!this.#flexible) return;
    const count = this.#unsignedVarint('tagged fields');
    for (let n = 0; n < count; n++) {
      const tag = this.#unsignedVarint('tag');
      const size = this.#unsignedVarint('size of a tagged field');
      const at = this.#take(size, 'tagged field');
      const read = known.get(tag);
      if (read === undefined) continue;
      this.#position = at;
      read();
      if (this.#position > at + size) throw this.#corrupt(`has tagged field ${tag} beyond its ${size} bytes`);
      this.#position = at + size;
    }
  }

  #length(field: string): number {
    return this.#flexible ? this.#compactLength(field) : this.int32(field);
  }

  #compactLength(field: string): number {
    return this.#unsignedVarint(field) - 1;
  }

  #unsignedVarint(field: string): number {
    this.#varints.position = this.#position;
    try {
      const n = this.#varints.readUnsignedVarint(this.#bytes, this.#bytes.length);
      this.#position = this.#varints.position;
      return n;
    } catch {
      throw this.#corrupt(`ends within its ${field}`);
    }
  }

  #left(): number {
    return this.#bytes.length - this.#position;
  }

  /** Moves behind `length` bytes and answers where they begin. A length below -1 is as wrong as one too large. */
  #take(length: number, field: string): number {
    if (length < 0 || length > this.#left()) throw this.#corrupt(`ends within its ${field}`);
    const at = this.#position;
    this.#position += length;
    return at;
  }

  #missing(field: string): never {
    throw this.#corrupt(`has null for its ${field}`);
  }

  #corrupt(fault: string): KlogError {
    return new KlogError('CORRUPT_MESSAGE', `${this.#what} ${fault} (byte ${this.#position} of ${this.#bytes.length})`);
  }
}

const NO_TAGS: ReadonlyMap<number, () => void> = new Map();
