import type { FuzzRandom } from './fuzz-random.js';

const LARGEST = 1024 * 1024;

/** The bytes with some of them changed, cut, doubled, moved or replaced. */
export function mutateBytes(source: Uint8Array, random: FuzzRandom): Buffer {
  let bytes: Buffer = Buffer.from(source);
  for (let left = 1 + random.below(3); left > 0; left--) bytes = mutateOnce(bytes, random);
  return bytes;
}

function mutateOnce(bytes: Buffer, random: FuzzRandom): Buffer {
  const { length } = bytes;
  if (length === 0) return Buffer.from([random.below(256)]);
  const at = random.below(length);
  switch (random.below(9)) {
    case 0:
      bytes[at] = bytes[at]! ^ (1 << random.below(8));
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2:
      return bytes.subarray(0, at);
    case 3: {
      const from = random.below(length);
      const piece = bytes.subarray(from, from + 1 + random.below(64));
      if (length + piece.length > LARGEST) return bytes;
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    }
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(64))]);
    case 5:
      return bytes.fill(
        random.pick([0, 0xff, 0x20, random.below(256)]),
        at,
        Math.min(length, at + 1 + random.below(64)),
      );
    case 6:
      bytes.copy(bytes, at, random.below(length), random.below(length));
      return bytes;
    default:
      setNumber(bytes, at, random.pick([1, 2, 4, 4, 8, 8]), random.number());
      return bytes;
  }
}

/** Big-endian, wrapped to `size` bytes; nothing where it does not fit. */
export function setNumber(bytes: Buffer, at: number, size: number, value: number): void {
  if (at + size > bytes.length) return;
  let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
  for (let i = at + size - 1; i >= at; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}
