/**
 * Lines become records, many in one call: the loop of `klog produce`. Each line goes behind the records of its
 * partition's region, encoded as `record-batch-builder.ts` does it; a line with a key goes where Kafka's murmur2 sends
 * it. It stops before the first line that is cut off, for which there is no region or no room, or that has no
 * separator; JavaScript takes that one.
 *
 * The memory never grows. 16 bytes beyond what was asked for may be read and written everywhere, so behind each region
 * there is room that belongs to nobody.
 *
 * |      at |    size |                                                                        |
 * |--------:|--------:|------------------------------------------------------------------------|
 * |       0 |      16 | the separator of key and value                                          |
 * |   1 024 |   1 KiB | a region's entry, 32 bytes each, for up to 32 partitions                |
 * |   4 096 | 636 KiB | the regions                                                            |
 * | 655 360 | 256 KiB | a window of lines                                                       |
 *
 * entry: u32 where its next record goes · u32 where it ends · u32 the next record's offset delta · u32 the timestamp
 * delta as a varint, little-endian · u32 bytes of that varint
 */
const SEPARATOR: usize = 0;
const ENTRIES: usize = 1024;

/** The largest offset delta, and the longest value or key, whose varint has three bytes. */
const LARGEST: i32 = 0xf_ffff;
/**
 * Of a record besides its key, its value and its timestamp: attributes and header count, five varints of three bytes.
 */
const MOST_OVERHEAD: i32 = 20;

/** Behind the last line that was taken, with its delimiter. */
export let linesEnd: i32 = 0;

function sizeOf(number: i32): i32 {
  return number < 64 ? 1 : number < 8192 ? 2 : 3;
}

/** A number from 0 to LARGEST; returns the position behind it. */
function writeVarint(at: usize, number: i32): usize {
  const bits = <u32>number << 1;
  if (number < 64) {
    store<u8>(at, <u8>bits);
    return at + 1;
  }
  if (number < 8192) {
    store<u16>(at, <u16>((bits & 0x7f) | 0x80 | ((bits << 1) & 0x7f00)));
    return at + 2;
  }
  store<u16>(at, <u16>((bits & 0x7f) | 0x8080 | ((bits << 1) & 0x7f00)));
  store<u8>(at + 2, <u8>(bits >>> 14));
  return at + 3;
}

/** May write 15 bytes too many. */
function copy(to: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

/** Where the byte stands, or `end`. */
function find(byte: v128, start: usize, end: usize): usize {
  for (let at = start; at < end; at += 16) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), byte));
    if (mask != 0) return min<usize>(at + ctz(mask), end);
  }
  return end;
}

/** Where the separator begins, or `end`. */
function findSeparator(first: v128, length: usize, start: usize, end: usize): usize {
  for (let at = start; ; at++) {
    at = find(first, at, end);
    if (at + length > end) return end;
    let same: usize = 1;
    while (same < length && load<u8>(at + same) == load<u8>(SEPARATOR + same)) same++;
    if (same == length) return at;
  }
  return end;
}

const M: i32 = 0x5bd1e995;

/** As in murmur2.ts. */
function murmur2(start: usize, end: usize): i32 {
  let h: i32 = 0x9747b28c ^ <i32>(end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    let k: i32 = load<i32>(at) * M;
    k ^= k >>> 24;
    h = (h * M) ^ (k * M);
  }
  const left = end - at;
  if (left > 0) {
    if (left > 2) h ^= <i32>load<u8>(at + 2) << 16;
    if (left > 1) h ^= <i32>load<u8>(at + 1) << 8;
    h = (h ^ <i32>load<u8>(at)) * M;
  }
  h = (h ^ (h >>> 13)) * M;
  return h ^ (h >>> 15);
}

/**
 * Takes the lines of [start, end), each ended by the byte `delimiter`, and answers how many. `separatorLength` 0: lines
 * are values, which go to the first region; else key, separator and value, which go to the region of the key's
 * partition.
 */
export function encode(start: i32, end: i32, delimiter: i32, separatorLength: i32, partitions: i32): i32 {
  const lineEnd = i8x16.splat(<i8>delimiter);
  const first = v128.load8_splat(SEPARATOR);
  let done = 0;
  let line: usize = start;
  while (line < <usize>end) {
    const stop = find(lineEnd, line, end);
    if (stop == <usize>end) break;
    let value = line;
    let entry = ENTRIES;
    let keyLength = -1;
    if (separatorLength > 0) {
      const keyEnd = findSeparator(first, separatorLength, line, stop);
      if (keyEnd == stop) break;
      keyLength = <i32>(keyEnd - line);
      value = keyEnd + separatorLength;
      entry += 32 * ((murmur2(line, keyEnd) & 0x7fffffff) % partitions);
    }
    const valueLength = <i32>(stop - value);
    let at: usize = load<u32>(entry);
    const offsetDelta: i32 = load<u32>(entry, 8);
    const timeBytes: i32 = load<u32>(entry, 16);
    const needed = max(keyLength, 0) + valueLength + MOST_OVERHEAD + timeBytes;
    if (offsetDelta > LARGEST || <i32>at + needed > <i32>load<u32>(entry, 4)) break;
    // Attributes and header count have a byte each, a null key one.
    const keyBytes = keyLength < 0 ? 1 : sizeOf(keyLength) + keyLength;
    const length = 2 + timeBytes + sizeOf(offsetDelta) + keyBytes + sizeOf(valueLength) + valueLength;

    at = writeVarint(at, length);
    store<u8>(at++, 0);
    store<u32>(at, load<u32>(entry, 12));
    at += timeBytes;
    at = writeVarint(at, offsetDelta);
    if (keyLength < 0) {
      store<u8>(at++, 1);
    } else {
      at = writeVarint(at, keyLength);
      copy(at, line, keyLength);
      at += keyLength;
    }
    at = writeVarint(at, valueLength);
    copy(at, value, valueLength);
    at += valueLength;
    store<u8>(at++, 0);

    store<u32>(entry, <u32>at);
    store<u32>(entry, <u32>(offsetDelta + 1), 8);
    line = stop + 1;
    done++;
  }
  linesEnd = <i32>line;
  return done;
}
