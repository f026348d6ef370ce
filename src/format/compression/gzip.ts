/** gzip (RFC 1952) over node:zlib: written at the default level, as Kafka does; read with concatenated members. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Codec } from '../compression.js';
import { beyondLimit, corrupt, detailOf } from './codec-errors.js';

/** Output grows in steps of this size: zlib's own 16 KiB makes many small buffers of a usual batch. */
const CHUNK_BYTES = 64 * 1024;

export function gzipCodec(): Codec {
  return {
    type: 'gzip',
    id: 1,
    compress: (source) => gzipSync(source),
    decompress(source, maxBytes) {
      let result: Buffer;
      try {
        result = gunzipSync(source, { maxOutputLength: Math.max(1, maxBytes), chunkSize: CHUNK_BYTES });
      } catch (cause) {
        if (isOutputTooLarge(cause)) throw beyondLimit('gzip', maxBytes);
        throw corrupt('gzip', detailOf(cause), cause);
      }
      // zlib does not take a limit of 0
      if (result.length > maxBytes) throw beyondLimit('gzip', maxBytes);
      return result;
    },
  };
}

/** What node:zlib throws when `maxOutputLength` is reached. */
export function isOutputTooLarge(cause: unknown): boolean {
  return cause instanceof Error && (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}
