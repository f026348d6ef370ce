/**
 * Kafka's compression types. Attribute bits 0–2 of a batch hold the id, the index in {@link COMPRESSION_TYPES}.
 *
 * A codec is loaded asynchronously, once and only when asked for (each costs a native or wasm module), and works
 * synchronously from then on, so that the decoding of a batch never yields.
 */
import { KlogError } from '../errors.js';

export const COMPRESSION_TYPES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type CompressionType = (typeof COMPRESSION_TYPES)[number];

export interface DecompressOptions {
  /** lz4 only: writers of magic 0 computed the frame's header checksum wrongly, so it says nothing. Default false. */
  readonly ignoreHeaderChecksum?: boolean;
}

export interface Codec {
  readonly type: CompressionType;
  /** As in attribute bits 0–2. */
  readonly id: number;
  compress(source: Uint8Array): Uint8Array;
  /**
   * The whole of `source` decompressed. The result may share memory with `source` only for type `none`.
   * `maxBytes` is a hard limit: sizes that the data declares are checked, never believed, and nothing larger is
   * allocated. Throws `CORRUPT_MESSAGE` when the data is damaged, truncated, or larger than `maxBytes`.
   */
  decompress(source: Uint8Array, maxBytes: number, options?: DecompressOptions): Uint8Array;
}

/**
 * The records of one batch may have so many bytes when decompressed, unless a reader says otherwise: a small file
 * cannot fill the memory. A hundred times the largest batch that Kafka accepts by default. What is larger is written
 * uncompressed.
 */
export const MOST_DECOMPRESSED_BYTES = 128 * 1024 * 1024;

const loaded: (Codec | undefined)[] = [];
const loading: (Promise<Codec> | undefined)[] = [];

/** Throws `UNSUPPORTED_COMPRESSION_TYPE` for the ids 5–7, which Kafka has not given a meaning. */
export function compressionTypeOf(id: number): CompressionType {
  const type = COMPRESSION_TYPES[id];
  if (type === undefined) {
    throw new KlogError(
      'UNSUPPORTED_COMPRESSION_TYPE',
      `compression id ${id} in a batch's attributes is unknown: known are 0 to ${COMPRESSION_TYPES.length - 1}`,
    );
  }
  return type;
}

export function compressionIdOf(type: CompressionType): number {
  const id = COMPRESSION_TYPES.indexOf(type);
  if (id < 0) throw new TypeError(`unknown compression type ${String(type)}`);
  return id;
}

/**
 * Loads the codec of `type`, once per process.
 * Throws `UNSUPPORTED_COMPRESSION_TYPE` when its package does not load on this machine.
 */
export function loadCodec(type: CompressionType): Promise<Codec> {
  const id = compressionIdOf(type);
  loading[id] ??= importCodec(type).then(
    (codec) => {
      loaded[id] = codec;
      return codec;
    },
    (cause) => {
      loading[id] = undefined;
      throw new KlogError('UNSUPPORTED_COMPRESSION_TYPE', `the ${type} codec cannot be loaded on this machine`, {
        cause,
        hint: 'Reinstall the dependencies for this platform (npm install), with optional dependencies.',
      });
    },
  );
  return loading[id];
}

/** The codec if an earlier {@link loadCodec} has finished, for synchronous callers. */
export function codecIfLoaded(type: CompressionType): Codec | undefined {
  return loaded[compressionIdOf(type)];
}

async function importCodec(type: CompressionType): Promise<Codec> {
  switch (type) {
    case 'none':
      return uncompressed;
    case 'gzip':
      return (await import('./compression/gzip.js')).gzipCodec();
    case 'snappy':
      return (await import('./compression/xerial-snappy.js')).snappyCodec();
    case 'lz4':
      return (await import('./compression/lz4-frame.js')).lz4Codec();
    case 'zstd':
      return (await import('./compression/zstd.js')).zstdCodec();
  }
}

const uncompressed: Codec = {
  type: 'none',
  id: 0,
  compress: (source) => source,
  decompress(source, maxBytes) {
    if (source.length > maxBytes) {
      throw new KlogError('CORRUPT_MESSAGE', `${source.length} bytes of records exceed the limit of ${maxBytes} bytes`);
    }
    return source;
  },
};
