/**
 * Messages of the formats before v2, magic 0 and 1, which are read and never written:
 *
 * ```
 *  0  i64  offset
 *  8  i32  size           bytes behind this field
 * 12  u32  crc            CRC-32 (zlib's) of everything from byte 16 on
 * 16  i8   magic          0 or 1
 * 17  i8   attributes     bits 0-2 codec (0-3), bit 3 LogAppendTime (magic 1)
 * 18  i64  timestamp      magic 1 only
 * ..  i32  keyLength      -1 null
 *     ...  key
 *     i32  valueLength    -1 null
 *     ...  value
 * ```
 *
 * Uncompressed, each message stands in the log by itself. A compressed set is one wrapper message without key, whose
 * value decompresses to messages of the same magic:
 *
 * - magic 0: the inner offsets are absolute.
 * - magic 1: they are relative (0, 1, 2, … with gaps after compaction), and the wrapper has the absolute offset of the
 *   last one, so the first offset is known only after decoding everything.
 * - with LogAppendTime on the wrapper, its timestamp is that of all.
 */
import { crc32 } from 'node:zlib';
import { KlogError } from '../errors.js';
import type { Codec } from './compression.js';
import { readInt32, readInt64 } from './int64.js';
import type { RecordBatchBuilder } from './record-batch-builder.js';

export const CRC_AT = 12;
export const ATTRIBUTES_AT = 17;
export const TIMESTAMP_AT = 18;

const SIZE_AT = 8;
const MAGIC_AT = 16;
const LOG_OVERHEAD = 12;
const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME_BIT = 0x08;
const NO_TIMESTAMP = -1;

/** Smallest whole message, offset and size fields included: null key, null value. */
export function minimumSize(magic: number): number {
  return magic === 0 ? 26 : 34;
}

/** Whether a message that lies whole in the buffer has the content that its CRC was made of. */
export function isValid(buffer: Uint8Array, position: number, sizeInBytes: number): boolean {
  if (sizeInBytes < minimumSize(buffer[position + MAGIC_AT]!)) return false;
  const stored = readInt32(buffer, position + CRC_AT) >>> 0;
  return stored === crc32(buffer.subarray(position + MAGIC_AT, position + sizeInBytes));
}

/**
 * Reads the message or compressed set at `position`, which ends at `end`, into `builder` as records of a v2 batch
 * whose base offset is the returned one. `codec` is that of the wrapper, undefined for an uncompressed message.
 * Throws CORRUPT_MESSAGE when the fields do not fit the message or a set holds another set.
 */
export function readLegacyMessages(
  buffer: Uint8Array,
  position: number,
  end: number,
  codec: Codec | undefined,
  maxDecompressedBytes: number,
  builder: RecordBatchBuilder,
): number {
  const magic = buffer[position + MAGIC_AT]!;
  const outer = readMessage(buffer, position, end);
  const outerOffset = readInt64(buffer, position, 'offset');
  if (codec === undefined) {
    builder.reset();
    appendMessage(builder, buffer, outer, 0, outer.timestamp);
    return outerOffset;
  }
  if (outer.keyStart >= 0 || outer.valueStart < 0) {
    throw corrupt(position, 'is a compressed set with a key or without a value');
  }
  const set = codec.decompress(
    buffer.subarray(outer.valueStart, outer.valueEnd),
    maxDecompressedBytes,
    magic === 0 ? { ignoreHeaderChecksum: true } : undefined,
  );

  const last = lastMessage(set, position, magic);
  // A wrapper at offset 0 comes from clients that left the counting to the broker: theirs count from 0.
  const shift = magic === 0 || outerOffset === 0 ? 0 : outerOffset - last.offset;
  const baseOffset = readInt64(set, 0, 'inner offset') + shift;
  if (baseOffset < 0) throw corrupt(position, `is a compressed set that begins at offset ${baseOffset}`);
  const appendTime = magic === 1 && (buffer[position + ATTRIBUTES_AT]! & LOG_APPEND_TIME_BIT) !== 0;

  builder.reset();
  let lastDelta = -1;
  for (let at = 0; at < last.end; ) {
    const size = LOG_OVERHEAD + readInt32(set, at + SIZE_AT);
    const message = readMessage(set, at, at + size);
    const delta = readInt64(set, at, 'inner offset') + shift - baseOffset;
    if (!(delta > lastDelta && delta <= 0x7fffffff)) {
      throw corrupt(position, `holds a message at ${delta} behind its first one, after one at ${lastDelta}`);
    }
    lastDelta = delta;
    appendMessage(builder, set, message, delta, appendTime ? outer.timestamp : message.timestamp);
    at += size;
  }
  return baseOffset;
}

interface Message {
  readonly timestamp: number;
  /** -1 when null, as `valueStart`. */
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** The fields of the message in `[position, end)`, every length checked against the room. */
function readMessage(buffer: Uint8Array, position: number, end: number): Message {
  const magic = buffer[position + MAGIC_AT]!;
  let at = position + TIMESTAMP_AT;
  let timestamp = NO_TIMESTAMP;
  if (magic === 1) {
    timestamp = readInt64(buffer, at, 'timestamp');
    at += 8;
  }
  const keyLength = readInt32(buffer, at);
  const keyStart = at + 4;
  // Four bytes must remain for the length of the value.
  if (keyLength < -1 || keyLength > end - keyStart - 4) throw corrupt(position, `has a key length of ${keyLength}`);
  const keyEnd = keyStart + Math.max(0, keyLength);
  const valueLength = readInt32(buffer, keyEnd);
  const valueStart = keyEnd + 4;
  if (valueLength < -1 || valueLength > end - valueStart) {
    throw corrupt(position, `has a value length of ${valueLength}`);
  }
  const valueEnd = valueStart + Math.max(0, valueLength);
  if (valueEnd !== end) throw corrupt(position, `has ${end - valueEnd} bytes behind its value`);
  return {
    timestamp,
    keyStart: keyLength < 0 ? -1 : keyStart,
    keyEnd,
    valueStart: valueLength < 0 ? -1 : valueStart,
    valueEnd,
  };
}

/** The offset of the last whole message of a decompressed set and where it ends; a cut one behind it is ignored. */
function lastMessage(set: Uint8Array, wrapperPosition: number, magic: number): { offset: number; end: number } {
  let last = -1;
  let at = 0;
  while (set.length - at >= LOG_OVERHEAD) {
    const size = LOG_OVERHEAD + readInt32(set, at + SIZE_AT);
    // A size below the smallest is damage even where the message would be cut anyway.
    if (size < minimumSize(magic)) throw corrupt(wrapperPosition, `holds a message of ${size} bytes`);
    if (size > set.length - at) break;
    const innerMagic = set[at + MAGIC_AT]!;
    if (innerMagic !== magic) throw corrupt(wrapperPosition, `holds a message of magic ${innerMagic}`);
    if ((set[at + ATTRIBUTES_AT]! & COMPRESSION_MASK) !== 0) {
      throw corrupt(wrapperPosition, 'holds a compressed message inside a compressed set');
    }
    last = at;
    at += size;
  }
  if (last < 0) throw corrupt(wrapperPosition, 'is a compressed set without a whole message');
  return { offset: readInt64(set, last, 'inner offset'), end: at };
}

function appendMessage(
  builder: RecordBatchBuilder,
  buffer: Uint8Array,
  message: Message,
  offsetDelta: number,
  timestamp: number,
): void {
  builder.appendAt(
    offsetDelta,
    message.keyStart < 0 ? null : buffer,
    message.keyStart,
    message.keyEnd,
    message.valueStart < 0 ? null : buffer,
    message.valueStart,
    message.valueEnd,
    timestamp,
    null,
  );
}

function corrupt(position: number, what: string): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `The message of the old format at position ${position} ${what}`, {
    position,
  });
}
