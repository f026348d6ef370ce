/**
 * Zstandard at level 3, Kafka's default: node:zlib where it has it (Node 22.15 and later), else a wasm build.
 *
 * Either decodes one frame per call, into a room that is known beforehand: the wasm build has no streaming and sizes
 * its output from what the frame declares, which must therefore be checked first; node:zlib stops at the first frame.
 */
import * as zlib from 'node:zlib';
import { KlogError } from '../../errors.js';
import type { Codec } from '../compression.js';
import { BlockOutput } from './block-output.js';
import { asBuffer, beyondLimit, corrupt, detailOf } from './codec-errors.js';
import { isOutputTooLarge } from './gzip.js';
import { type ZstdFrame, zstdFrames } from './zstd-frames.js';

const LEVEL = 3;
const CHUNK_BYTES = 64 * 1024;

/** What a build offers: `decompress` makes at most `room` bytes of one frame, or undefined if it holds more. */
export interface ZstdBuild {
  compress(source: Uint8Array): Uint8Array;
  decompress(frame: Uint8Array, room: number): Uint8Array | undefined;
}

export async function zstdCodec(): Promise<Codec> {
  return codecOver(builtInZstd() ?? (await wasmZstd()));
}

export function codecOver(build: ZstdBuild): Codec {
  return {
    type: 'zstd',
    id: 4,
    compress: (source) => build.compress(source),
    decompress: (source, maxBytes) => decompress(build, asBuffer(source), maxBytes),
  };
}

function decompress(build: ZstdBuild, source: Buffer, maxBytes: number): Uint8Array {
  const output = new BlockOutput(maxBytes);
  for (const frame of zstdFrames(source)) {
    const content = decompressFrame(build, source, frame, output.room);
    if (content === undefined) throw beyondLimit('zstd', maxBytes);
    output.append(content);
  }
  return output.from(0);
}

/** Undefined if the frame holds more than `left` bytes. */
function decompressFrame(build: ZstdBuild, source: Buffer, frame: ZstdFrame, left: number): Uint8Array | undefined {
  if (frame.contentBytes !== undefined) {
    if (frame.contentBytes > left) return undefined;
    if (frame.contentBytes > frame.mostBytes) {
      throw corrupt('zstd', `a frame declares ${frame.contentBytes} bytes and holds at most ${frame.mostBytes}`);
    }
  }
  const room = Math.min(left, frame.contentBytes ?? frame.mostBytes);
  let content: Uint8Array | undefined;
  try {
    content = build.decompress(source.subarray(frame.start, frame.end), room);
  } catch (cause) {
    if (cause instanceof KlogError) throw cause;
    throw corrupt('zstd', detailOf(cause), cause);
  }
  if (frame.contentBytes !== undefined && content?.length !== frame.contentBytes) {
    throw corrupt('zstd', `a frame declares ${frame.contentBytes} bytes and holds another number`);
  }
  return content;
}

/** As of Node 22.15; the types of Node 20 do not know it. */
interface ZlibWithZstd {
  zstdCompressSync?(source: Uint8Array, options: { params: Record<number, number> }): Buffer;
  zstdDecompressSync?(source: Uint8Array, options: { maxOutputLength: number; chunkSize: number }): Buffer;
  readonly constants: { readonly ZSTD_c_compressionLevel?: number };
}

export function builtInZstd(): ZstdBuild | undefined {
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib as unknown as ZlibWithZstd;
  const levelKey = constants.ZSTD_c_compressionLevel;
  if (!zstdCompressSync || !zstdDecompressSync || levelKey === undefined) return undefined;
  const compressOptions = { params: { [levelKey]: LEVEL } };
  return {
    compress: (source) => zstdCompressSync(source, compressOptions),
    decompress(frame, room) {
      try {
        const content = zstdDecompressSync(frame, { maxOutputLength: Math.max(1, room), chunkSize: CHUNK_BYTES });
        return content.length > room ? undefined : content;
      } catch (cause) {
        if (isOutputTooLarge(cause)) return undefined;
        throw cause;
      }
    },
  };
}

/** The code for "destination too small" in the message of the wasm build's only error. */
const ROOM_TOO_SMALL = /code (-70|4294967226)$/;

/** Its memory ends at 2 GiB, and it does not notice when it gets none: input and output together stay far below. */
const MOST_WASM_BYTES = 512 * 1024 * 1024;

function mustFitWasm(bytes: number): void {
  if (bytes <= MOST_WASM_BYTES) return;
  throw new KlogError('KLOG_UNSUPPORTED', `${bytes} bytes are too many for the wasm build of zstd`, {
    hint: 'Node 22.15 and later have zstd built in.',
  });
}

export async function wasmZstd(): Promise<ZstdBuild> {
  const module = await import('@bokuweb/zstd-wasm');
  await module.init();
  return {
    compress(source) {
      mustFitWasm(2 * source.length);
      return module.compress(asBuffer(source), LEVEL);
    },
    decompress(frame, room) {
      mustFitWasm(frame.length + room);
      try {
        // The size a frame declares takes precedence over this; our caller has seen to it that both are the same.
        return module.decompress(frame, { defaultHeapSize: room });
      } catch (cause) {
        if (ROOM_TOO_SMALL.test(detailOf(cause))) return undefined;
        throw cause;
      }
    },
  };
}
