/**
 * Where the frames of Zstandard data (RFC 8878) begin and end and how much they can hold, without decoding anything.
 * All numbers little-endian.
 *
 *   size  field
 *      4  28 b5 2f fd       magic (5x 2a 4d 18 and a u32 size: a frame to skip)
 *      1  descriptor        bits 7-6 form of the content size · 5 single segment · 3 reserved · 2 checksum ·
 *                           1-0 form of the dictionary id
 *    0/1  window            bits 7-3 exponent, 2-0 mantissa; absent if single segment: then the content is the window
 *  0/1/2/4  dictionary id
 *  0/1/2/4/8  content size  often absent: Kafka streams, and does not know it beforehand
 *         blocks            u24: bit 0 last · 2-1 type (0 raw, 1 run of one byte, 2 compressed) · 23-3 size
 *    0/4  checksum
 *
 * A raw block or run yields `size` bytes, a compressed block at most min(window, 128 KiB). That bounds the output
 * of a frame that does not tell its size.
 */
import { corrupt } from './codec-errors.js';

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const LARGEST_BLOCK_BYTES = 128 * 1024;

const BLOCK_RAW = 0;
const BLOCK_RUN = 1;
const BLOCK_COMPRESSED = 2;

export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** As declared; undefined when the frame does not say. */
  readonly contentBytes: number | undefined;
  /** No decoder can make more than this of it. */
  readonly mostBytes: number;
}

/** The frames with content, in order. Throws `CORRUPT_MESSAGE` if they do not fill `source`. */
export function zstdFrames(source: Buffer): ZstdFrame[] {
  const frames: ZstdFrame[] = [];
  let position = 0;
  do {
    need(source, position, 4, 'frame magic');
    const magic = source.readUInt32LE(position);
    if (magic === FRAME_MAGIC) {
      const frame = readFrame(source, position);
      frames.push(frame);
      position = frame.end;
    } else if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) {
      need(source, position, 8, 'skippable frame');
      const size = source.readUInt32LE(position + 4);
      need(source, position + 8, size, 'skippable frame');
      position += 8 + size;
    } else {
      throw corrupt('zstd', `no frame at byte ${position}`);
    }
  } while (position < source.length);
  return frames;
}

function readFrame(source: Buffer, start: number): ZstdFrame {
  need(source, start, 5, 'frame header');
  const descriptor = source[start + 4]!;
  const sizeForm = descriptor >>> 6;
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = sizeForm === 0 ? Number(singleSegment) : 1 << sizeForm;
  const windowAt = start + 5;
  const sizeAt = windowAt + (singleSegment ? 0 : 1) + dictionaryBytes;
  need(source, windowAt, sizeAt + sizeBytes - windowAt, 'frame header');
  if (descriptor & 0x08) throw corrupt('zstd', 'a reserved flag is set');

  const contentBytes = readContentSize(source, sizeAt, sizeBytes);
  const window = singleSegment ? contentBytes! : windowSize(source[windowAt]!);
  const blockBytes = Math.min(window, LARGEST_BLOCK_BYTES);
  let position = sizeAt + sizeBytes;
  let mostBytes = 0;
  for (let last = false; !last; ) {
    need(source, position, 3, 'block header');
    const word = source.readUIntLE(position, 3);
    last = (word & 1) !== 0;
    const type = (word >>> 1) & 3;
    const size = word >>> 3;
    if (type > BLOCK_COMPRESSED) throw corrupt('zstd', `block of unknown type at byte ${position}`);
    if (type !== BLOCK_COMPRESSED && size > LARGEST_BLOCK_BYTES) {
      throw corrupt('zstd', `block of ${size} bytes at byte ${position}`);
    }
    const stored = type === BLOCK_RUN ? 1 : size;
    need(source, position + 3, stored, 'block');
    mostBytes += type === BLOCK_RAW || type === BLOCK_RUN ? size : blockBytes;
    position += 3 + stored;
  }
  if (descriptor & 0x04) {
    need(source, position, 4, 'checksum');
    position += 4;
  }
  return { start, end: position, contentBytes, mostBytes };
}

function readContentSize(source: Buffer, position: number, bytes: number): number | undefined {
  switch (bytes) {
    case 0:
      return undefined;
    case 1:
      return source[position]!;
    case 2:
      // Two bytes count from 256 on: smaller sizes fit one.
      return source.readUInt16LE(position) + 256;
    case 4:
      return source.readUInt32LE(position);
    default:
      // Inexact only far beyond any limit.
      return Number(source.readBigUInt64LE(position));
  }
}

function windowSize(byte: number): number {
  const base = 2 ** (10 + (byte >>> 3));
  return base + (base / 8) * (byte & 7);
}

function need(source: Buffer, position: number, size: number, what: string): void {
  if (size > source.length - position) throw corrupt('zstd', `cut off at byte ${position}, in ${what}`);
}
