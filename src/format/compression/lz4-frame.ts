/**
 * LZ4 in frames, as Kafka uses it. All numbers little-endian.
 *
 *   at  size  field
 *    0     4  04 22 4d 18   magic
 *    4     1  FLG           bits 7-6 version (01) · 5 blocks independent · 4 block checksums · 3 content size ·
 *                           2 content checksum · 1 reserved · 0 dictionary id
 *    5     1  BD            bits 6-4 largest block: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB; the rest reserved
 *    6   0/8  content size  u64
 *         1   HC            (xxh32(from FLG on) >> 8) & 0xff. Magic 0 wrote it over the frame magic too: ignored
 *             blocks        u32 size (top bit set: stored, not compressed) | bytes | [u32 xxh32 of the bytes]
 *         4   end mark      0
 *        0/4  xxh32 of the content
 *
 * Kafka reads independent blocks only, and so do we. The frame is walked here and not by the package, because a limit
 * on the output has to hold block by block: a block is decoded into at most min(largest block, what is left).
 */
import type { Codec, DecompressOptions } from '../compression.js';
import { countAddonGarbage } from './addon-garbage.js';
import { BlockOutput } from './block-output.js';
import { asBuffer, beyondLimit, corrupt, detailOf } from './codec-errors.js';
import { xxhash32 } from './xxhash32.js';

type Lz4 = typeof import('lz4-napi');

const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const FLG_INDEPENDENT = 0x20;
const FLG_BLOCK_CHECKSUM = 0x10;
const FLG_CONTENT_SIZE = 0x08;
const FLG_CONTENT_CHECKSUM = 0x04;
const FLG_REFUSED = 0x03;
const STORED = 0x80000000;

/** A block's compressed byte stands for at most 255 bytes: no output can be larger, whatever the header promises. */
const LARGEST_RATIO = 255;

export async function lz4Codec(): Promise<Codec> {
  const module = await import('lz4-napi');
  const lz4: Lz4 = module.default ?? module;
  return {
    type: 'lz4',
    id: 3,
    // FLG 0x60; the largest block (64 KiB to 4 MiB) follows from the input: Kafka reads all of them.
    compress(source) {
      const frame = lz4.compressFrameSync(asBuffer(source));
      countAddonGarbage(frame.length);
      return frame;
    },
    decompress: (source, maxBytes, options) => new FrameReader(lz4, asBuffer(source), maxBytes, options).readAll(),
  };
}

class FrameReader {
  readonly #lz4: Lz4;
  readonly #source: Buffer;
  readonly #maxBytes: number;
  readonly #ignoreHeaderChecksum: boolean;
  readonly #output: BlockOutput;
  #position = 0;
  /** Largest block of the current frame. */
  #blockBytes = 0;

  constructor(lz4: Lz4, source: Buffer, maxBytes: number, options: DecompressOptions = {}) {
    this.#lz4 = lz4;
    this.#source = source;
    this.#maxBytes = maxBytes;
    this.#output = new BlockOutput(maxBytes);
    this.#ignoreHeaderChecksum = options.ignoreHeaderChecksum ?? false;
  }

  readAll(): Uint8Array {
    do this.#readFrame();
    while (this.#position < this.#source.length);
    return this.#output.from(0);
  }

  #readFrame(): void {
    const magic = this.#readUint32('frame magic');
    if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
      this.#take(this.#readUint32('size of a skippable frame'), 'skippable frame');
      return;
    }
    if (magic !== FRAME_MAGIC) throw corrupt('lz4', `no frame at byte ${this.#position - 4}`);
    const headerAt = this.#position;
    const flg = this.#source[this.#take(2, 'frame header')]!;
    this.#checkFlags(flg, this.#source[headerAt + 1]!);
    const contentSize = flg & FLG_CONTENT_SIZE ? this.#readContentSize() : -1;
    const checksumAt = this.#take(1, 'header checksum');
    const checksum = (xxhash32(this.#source, headerAt, checksumAt) >>> 8) & 0xff;
    if (checksum !== this.#source[checksumAt] && !this.#ignoreHeaderChecksum) {
      throw corrupt('lz4', `header checksum at byte ${checksumAt} is wrong`);
    }

    const outputBefore = this.#output.length;
    while (this.#readBlock((flg & FLG_BLOCK_CHECKSUM) !== 0));
    const frameBytes = this.#output.length - outputBefore;
    if (contentSize >= 0 && contentSize !== frameBytes) {
      throw corrupt('lz4', `the frame declares ${contentSize} bytes and holds ${frameBytes}`);
    }
    if (flg & FLG_CONTENT_CHECKSUM) this.#checkContent(this.#output.from(outputBefore));
  }

  #checkFlags(flg: number, bd: number): void {
    if (flg >>> 6 !== 1) throw corrupt('lz4', `frame version ${flg >>> 6}`);
    if (!(flg & FLG_INDEPENDENT)) throw corrupt('lz4', 'its blocks depend on each other, which Kafka does not allow');
    if (flg & FLG_REFUSED) throw corrupt('lz4', 'a dictionary or a reserved flag is set');
    if (bd & 0x8f || bd >>> 4 < 4) throw corrupt('lz4', `block size byte ${bd}`);
    this.#blockBytes = 1 << (2 * (bd >>> 4) + 8);
  }

  #readContentSize(): number {
    const size = this.#source.readBigUInt64LE(this.#take(8, 'content size'));
    if (size > this.#output.room) throw beyondLimit('lz4', this.#maxBytes);
    return Number(size);
  }

  /** False at the end mark. */
  #readBlock(withChecksum: boolean): boolean {
    const word = this.#readUint32('block size');
    if (word === 0) return false;
    const stored = word >= STORED;
    const size = stored ? word - STORED : word;
    if (size > this.#blockBytes) {
      throw corrupt('lz4', `block of ${size} bytes, at most ${this.#blockBytes} are allowed`);
    }
    const start = this.#take(size, 'block');
    if (withChecksum && this.#readUint32('block checksum') !== xxhash32(this.#source, start, start + size)) {
      throw corrupt('lz4', `checksum of the block at byte ${start} is wrong`);
    }
    this.#output.append(stored ? this.#copyStored(start, size) : this.#decode(start, size));
    return true;
  }

  #copyStored(start: number, size: number): Uint8Array {
    if (size > this.#output.room) throw beyondLimit('lz4', this.#maxBytes);
    return Buffer.from(this.#source.subarray(start, start + size));
  }

  /** The package's block format is u32 output room | block; it says how much of the room was used. */
  #decode(start: number, size: number): Uint8Array {
    const largest = Math.min(this.#blockBytes, size * LARGEST_RATIO);
    const room = Math.min(largest, this.#output.room);
    const input = Buffer.allocUnsafe(4 + size);
    input.writeUInt32LE(room, 0);
    input.set(this.#source.subarray(start, start + size), 4);
    try {
      return this.#lz4.uncompressSync(input);
    } catch (cause) {
      const detail = detailOf(cause);
      if (room < largest && detail.includes('output is too small')) throw beyondLimit('lz4', this.#maxBytes);
      throw corrupt('lz4', detail, cause);
    }
  }

  #checkContent(content: Uint8Array): void {
    if (this.#readUint32('content checksum') !== xxhash32(content, 0, content.length)) {
      throw corrupt('lz4', 'content checksum is wrong');
    }
  }

  #readUint32(what: string): number {
    return this.#source.readUInt32LE(this.#take(4, what));
  }

  /** The position of the next `size` bytes, which are all there. */
  #take(size: number, what: string): number {
    const start = this.#position;
    if (size > this.#source.length - start) throw corrupt('lz4', `cut off at byte ${start}, in ${what}`);
    this.#position = start + size;
    return start;
  }
}
