/**
 * The last offset of each key, in bounded memory (Kafka: `SkimpyOffsetMap`, which keeps MD5 sums).
 *
 * A slot takes 24 bytes: 16 of a keyed hash of the key, 8 of the offset. The keys themselves are not kept: two keys
 * are taken for one if both 64-bit HalfSipHash-2-4 sums agree, a chance of 2^-86 for two million keys. The hash keys
 * are random and new for each pass, so nobody can make keys that collide.
 */
import { randomBytes } from 'node:crypto';

const DEFAULT_MAP_BYTES = 64 * 1024 * 1024;
const SLOT_BYTES = 24;
const INITIAL_SLOTS = 1024;
/** Beyond this share of used slots look-ups become long. */
const LOAD_FACTOR = 0.75;
const HASH_KEY_BYTES = 16;

export class KeyOffsetMap {
  readonly #maxSlots: number;
  readonly #hashKey: Int32Array;
  /** Four words a slot. */
  #hashes: Int32Array;
  /** -1: the slot is free. */
  #offsets: Float64Array;
  #size = 0;
  readonly #sum = new Int32Array(4);

  constructor(maxBytes = DEFAULT_MAP_BYTES, hashKey: Uint8Array = randomBytes(HASH_KEY_BYTES)) {
    this.#maxSlots = 2 ** Math.floor(Math.log2(Math.max(2, maxBytes / SLOT_BYTES)));
    const key = Buffer.from(hashKey);
    this.#hashKey = Int32Array.from([0, 4, 8, 12], (at) => key.readInt32LE(at));
    const slots = Math.min(INITIAL_SLOTS, this.#maxSlots);
    this.#hashes = new Int32Array(slots * 4);
    this.#offsets = new Float64Array(slots).fill(-1);
  }

  /** Keys there are. */
  get size(): number {
    return this.#size;
  }

  /** The key has a record at `offset`, higher than those before. False: there is no room for another key. */
  put(buffer: Uint8Array, start: number, end: number, offset: number): boolean {
    this.#hash(buffer, start, end);
    let slot = this.#find();
    if (this.#offsets[slot]! < 0) {
      if (this.#size + 1 > this.#offsets.length * LOAD_FACTOR) {
        if (this.#offsets.length >= this.#maxSlots) return false;
        this.#grow();
        this.#hash(buffer, start, end);
        slot = this.#find();
      }
      this.#hashes.set(this.#sum, slot * 4);
      this.#size++;
    }
    this.#offsets[slot] = offset;
    return true;
  }

  /** The last offset of the key; -1: it was never put. */
  get(buffer: Uint8Array, start: number, end: number): number {
    this.#hash(buffer, start, end);
    return this.#offsets[this.#find()]!;
  }

  /** The slot of the sum, or the free one where it belongs. */
  #find(): number {
    const sum = this.#sum;
    const hashes = this.#hashes;
    const mask = this.#offsets.length - 1;
    for (let slot = sum[0]! & mask; ; slot = (slot + 1) & mask) {
      if (this.#offsets[slot]! < 0) return slot;
      const at = slot * 4;
      if (
        hashes[at] === sum[0] &&
        hashes[at + 1] === sum[1] &&
        hashes[at + 2] === sum[2] &&
        hashes[at + 3] === sum[3]
      ) {
        return slot;
      }
    }
  }

  #grow(): void {
    const { length } = this.#offsets;
    const hashes = this.#hashes;
    const offsets = this.#offsets;
    this.#hashes = new Int32Array(length * 8);
    this.#offsets = new Float64Array(length * 2).fill(-1);
    for (let slot = 0; slot < length; slot++) {
      if (offsets[slot]! < 0) continue;
      for (let word = 0; word < 4; word++) this.#sum[word] = hashes[slot * 4 + word]!;
      const free = this.#find();
      this.#hashes.set(this.#sum, free * 4);
      this.#offsets[free] = offsets[slot]!;
    }
  }

  #hash(buffer: Uint8Array, start: number, end: number): void {
    const [k0, k1, k2, k3] = this.#hashKey;
    halfSipHash(buffer, start, end, k0!, k1!, this.#sum, 0);
    halfSipHash(buffer, start, end, k2!, k3!, this.#sum, 2);
  }
}

/** HalfSipHash-2-4 (Aumasson, Bernstein) with 64 bits of output: `out[at]` and `out[at + 1]`. */
export function halfSipHash(
  buffer: Uint8Array,
  start: number,
  end: number,
  k0: number,
  k1: number,
  out: Int32Array,
  at: number,
): void {
  let v0 = k0 | 0;
  let v1 = (k1 ^ 0xee) | 0;
  let v2 = (0x6c796765 ^ k0) | 0;
  let v3 = (0x74656462 ^ k1) | 0;
  const length = end - start;
  const whole = start + (length & ~3);
  let rounds = 2;
  let message = 0;
  // Whole words, the last word with the length, then two finalizations of four rounds each.
  for (let position = start, stage = 0; stage < 3; ) {
    if (stage === 0) {
      if (position < whole) {
        message =
          buffer[position]! |
          (buffer[position + 1]! << 8) |
          (buffer[position + 2]! << 16) |
          (buffer[position + 3]! << 24);
        position += 4;
      } else {
        message = length << 24;
        for (let i = end - whole - 1; i >= 0; i--) message |= buffer[whole + i]! << (8 * i);
        stage = 1;
      }
      v3 ^= message;
      rounds = 2;
    } else {
      if (stage === 1) v2 ^= 0xee;
      else v1 ^= 0xdd;
      rounds = 4;
    }
    for (let round = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0;
      v1 = (v1 << 5) | (v1 >>> 27);
      v1 ^= v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = (v3 << 8) | (v3 >>> 24);
      v3 ^= v2;
      v0 = (v0 + v3) | 0;
      v3 = (v3 << 7) | (v3 >>> 25);
      v3 ^= v0;
      v2 = (v2 + v1) | 0;
      v1 = (v1 << 13) | (v1 >>> 19);
      v1 ^= v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    if (rounds === 2) {
      v0 ^= message;
    } else {
      out[at + stage - 1] = v1 ^ v3;
      stage++;
    }
  }
}
