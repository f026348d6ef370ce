/**
 * Prints records by a template, many in one call: the loop of `klog consume`. It reads Kafka's record format (layout in
 * `record-batch-builder.ts`) and stops before the first record that is in any way unusual, or that does not fit; JavaScript
 * looks at that one and says what is wrong, if anything is. So nothing here needs to report an error.
 *
 * The memory never grows. Every load and store is inside it, since lengths are compared before they are used, and 16 bytes
 * beyond what was asked for may be read and written everywhere.
 *
 * |      at |    size |                                                                                         |
 * |--------:|--------:|-----------------------------------------------------------------------------------------|
 * |       0 |     256 | for each byte of a JSON string: 0 itself, 255 stop, else the letter behind a backslash    |
 * |     256 |     256 | the template: steps of 8 bytes, u32 what, u16 where a text begins, u16 its length         |
 * |     512 |   3 KiB | the texts                                                                               |
 * |   4 096 | 380 KiB | what is printed                                                                         |
 * | 393 216 |  32 KiB | a window of records                                                                     |
 * | 425 984 |   4 KiB | the sources of a merge, 64 bytes each: see {@link merge}                                |
 * | 430 080 | 128 KiB | their windows                                                                           |
 */
const ESCAPES: usize = 0;
const TEMPLATE: usize = 256;

/** What a step prints behind its text. */
const END: u32 = 0;
const KEY: u32 = 1;
const VALUE: u32 = 2;
const OFFSET: u32 = 3;
const TIMESTAMP: u32 = 4;
const JSON_KEY: u32 = 5;
const JSON_VALUE: u32 = 6;

/** Digits of the largest number, with its sign. */
const NUMBER_BYTES: usize = 20;
const NULL: u32 = 0x6c6c756e;

// The record that was read last: ranges, -1 where null.
let keyStart: i32 = 0;
let keyEnd: i32 = 0;
let valueStart: i32 = 0;
let valueEnd: i32 = 0;
let timestampDelta: i32 = 0;
let offsetDelta: i32 = 0;
let hasHeaders: bool = false;
let next: i32 = 0;

// What a call answers besides the number of records.
export let printEnd: i32 = 0;
/** Where the last printed record begins. */
export let lastRecord: i32 = 0;

/** Behind a varint. */
let at: i32 = 0;

/** An unsigned varint of three bytes at most; -1 for a longer one. */
// @ts-expect-error: decorator
@inline
function unsigned(): i32 {
  let byte: i32 = load<u8>(at++);
  if (byte < 0x80) return byte;
  let bits = byte & 0x7f;
  byte = load<u8>(at++);
  if (byte < 0x80) return bits | (byte << 7);
  bits |= (byte & 0x7f) << 7;
  byte = load<u8>(at++);
  return byte < 0x80 ? bits | (byte << 14) : -1;
}

/** Reads the record at `start` into the variables above; false when JavaScript has to look at it. */
// @ts-expect-error: decorator
@inline
function read(start: i32, end: i32): bool {
  at = start;
  const length = unsigned();
  // The lowest bit is the sign: an odd number is negative.
  if (length < 0 || length & 1) return false;
  const recordEnd = at + (length >>> 1);
  if (recordEnd > end) return false;
  at++;
  const time = unsigned();
  if (time < 0) return false;
  timestampDelta = (time >>> 1) ^ -(time & 1);
  const offset = unsigned();
  if (offset < 0 || offset & 1) return false;
  offsetDelta = offset >>> 1;

  const keyLength = unsigned();
  if (keyLength == 1) {
    keyStart = -1;
    keyEnd = -1;
  } else {
    if (keyLength < 0 || keyLength & 1) return false;
    keyStart = at;
    at += keyLength >>> 1;
    keyEnd = at;
    if (at > recordEnd) return false;
  }

  const valueLength = unsigned();
  if (valueLength == 1) {
    valueStart = -1;
    valueEnd = -1;
  } else {
    if (valueLength < 0 || valueLength & 1) return false;
    valueStart = at;
    at += valueLength >>> 1;
    valueEnd = at;
    if (at > recordEnd) return false;
  }

  const headers = unsigned();
  hasHeaders = headers != 0;
  if (hasHeaders && !passHeaders(headers, recordEnd)) return false;
  next = recordEnd;
  return at == recordEnd;
}

function passHeaders(count: i32, recordEnd: i32): bool {
  if (count < 0 || count & 1) return false;
  for (let left = count >>> 1; left > 0; left--) {
    const keyLength = unsigned();
    if (keyLength < 0 || keyLength & 1) return false;
    at += keyLength >>> 1;
    if (at > recordEnd) return false;
    const valueLength = unsigned();
    if (valueLength == 1) continue;
    if (valueLength < 0 || valueLength & 1) return false;
    at += valueLength >>> 1;
    if (at > recordEnd) return false;
  }
  return true;
}

/** May write 15 bytes too many. */
// @ts-expect-error: decorator
@inline
function copy(to: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
}

/** A whole number that is not negative; returns the position behind it. */
function printNumber(out: usize, number: i64): usize {
  let digits = 1;
  for (let power: i64 = 10; digits < 19 && number >= power; power *= 10) digits++;
  const end = out + digits;
  let position = end;
  let rest: u64 = number;
  do {
    store<u8>(--position, <u8>(0x30 + rest % 10));
    rest /= 10;
  } while (rest > 0);
  return end;
}

/** With its quotes; returns the position behind it, or 0 for a byte that is not for here: beyond ASCII, or a control byte. */
function printJsonString(out: usize, start: usize, end: usize): usize {
  store<u8>(out++, 0x22);
  const quote = i8x16.splat(0x22);
  const backslash = i8x16.splat(0x5c);
  const space = i8x16.splat(0x20);
  let position = start;
  while (position < end) {
    const bytes = v128.load(position);
    v128.store(out, bytes);
    // Signed: bytes beyond ASCII are less than a space, too.
    const special = v128.or(
      i8x16.lt_s(bytes, space),
      v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, backslash)),
    );
    const mask = i8x16.bitmask(special);
    const left = end - position;
    const plain = min<usize>(mask == 0 ? 16 : ctz(mask), left);
    out += plain;
    position += plain;
    if (plain == 16 || plain == left) continue;
    const letter = load<u8>(ESCAPES + load<u8>(position));
    if (letter == 255) return 0;
    store<u16>(out, <u16>(0x5c | (<u32>letter << 8)));
    out += 2;
    position++;
  }
  store<u8>(out, 0x22);
  return out + 1;
}

/**
 * Prints up to `count` of the records in [start, end) to [out, outEnd) and answers how many. Stops before the first one that
 * is unusual, cut off by `end`, out of [fromDelta, toDelta), later than `lastTimestampDelta`, without room, null where
 * `nullStops`, or with headers where `headersStop`; and once `outStop` is reached.
 */
export function print(
  start: i32,
  end: i32,
  count: i32,
  fromDelta: i32,
  toDelta: i32,
  lastTimestampDelta: i32,
  baseOffset: i64,
  baseTimestamp: i64,
  out: i32,
  outStop: i32,
  outEnd: i32,
  textBytes: i32,
  nullStops: bool,
  headersStop: bool,
): i32 {
  let done = 0;
  let position = start;
  let to: usize = out;
  let last = start;
  while (done < count && to < <usize>outStop && position < end) {
    if (!read(position, end)) break;
    if (offsetDelta < fromDelta || offsetDelta >= toDelta || timestampDelta > lastTimestampDelta) break;
    if (headersStop && hasHeaders) break;
    // A byte of a JSON string may become two.
    const room = textBytes + 2 * (keyEnd - keyStart + valueEnd - valueStart);
    if (<i32>to + room > outEnd) break;
    const printed = printRecord(to, baseOffset, baseTimestamp, nullStops);
    if (printed == 0) break;
    to = printed;
    last = position;
    position = next;
    done++;
  }
  printEnd = <i32>to;
  lastRecord = last;
  return done;
}

const SOURCES: usize = 425984;
const SOURCE_BYTES: usize = 64;

/**
 * Prints the records of `sources` partitions by time, of equal times those of the first one first. Stops where {@link print}
 * would, and where a source has no whole record left in its window.
 *
 * | at | field of a source                                       |
 * |---:|---------------------------------------------------------|
 * |  0 | i32 where its next record begins: moved on              |
 * |  4 | i32 where its window ends                               |
 * |  8 | i32 records that are left                               |
 * | 12 | i32 records that were printed                           |
 * | 16 | i32 fromDelta                                           |
 * | 20 | i32 toDelta                                             |
 * | 24 | i64 base offset                                         |
 * | 32 | i64 base timestamp                                      |
 * | 40 | i64 timestamp of the next record                        |
 */
export function merge(
  sources: i32,
  count: i32,
  out: i32,
  outStop: i32,
  outEnd: i32,
  textBytes: i32,
  nullStops: bool,
  headersStop: bool,
): i32 {
  const behind = SOURCES + <usize>sources * SOURCE_BYTES;
  let done = 0;
  let to: usize = out;
  printEnd = out;
  for (let source = SOURCES; source < behind; source += SOURCE_BYTES) if (!look(source)) return 0;
  while (done < count && to < <usize>outStop) {
    let first = SOURCES;
    let least = load<i64>(SOURCES, 40);
    for (let source = SOURCES + SOURCE_BYTES; source < behind; source += SOURCE_BYTES) {
      const time = load<i64>(source, 40);
      if (time >= least) continue;
      least = time;
      first = source;
    }
    if (!read(load<i32>(first), load<i32>(first, 4))) break;
    if (offsetDelta < load<i32>(first, 16) || offsetDelta >= load<i32>(first, 20)) break;
    if (headersStop && hasHeaders) break;
    const room = textBytes + 2 * (keyEnd - keyStart + valueEnd - valueStart);
    if (<i32>to + room > outEnd) break;
    const printed = printRecord(to, load<i64>(first, 24), load<i64>(first, 32), nullStops);
    if (printed == 0) break;
    to = printed;
    done++;
    store<i32>(first, next);
    store<i32>(first, load<i32>(first, 8) - 1, 8);
    store<i32>(first, load<i32>(first, 12) + 1, 12);
    if (!look(first)) break;
  }
  printEnd = <i32>to;
  return done;
}

/** Notes the time of the source's next record; false when there is none that is whole and plain. */
// @ts-expect-error: decorator
@inline
function look(source: usize): bool {
  const end = load<i32>(source, 4);
  at = load<i32>(source);
  if (load<i32>(source, 8) <= 0 || at >= end) return false;
  const length = unsigned();
  if (length < 0 || length & 1 || at + (length >>> 1) > end) return false;
  at++;
  const time = unsigned();
  if (time < 0) return false;
  store<i64>(source, load<i64>(source, 32) + <i64>((time >>> 1) ^ -(time & 1)), 40);
  return true;
}

/** Returns the position behind it, or 0. */
// @ts-expect-error: decorator
@inline
function printRecord(to: usize, baseOffset: i64, baseTimestamp: i64, nullStops: bool): usize {
  for (let step = TEMPLATE; ; step += 8) {
    const text: usize = load<u16>(step + 4);
    const length: usize = load<u16>(step + 6);
    copy(to, text, length);
    to += length;
    switch (load<u32>(step)) {
      case END:
        return to;
      case KEY:
        if (keyStart < 0) {
          if (nullStops) return 0;
          break;
        }
        copy(to, keyStart, keyEnd - keyStart);
        to += keyEnd - keyStart;
        break;
      case VALUE:
        if (valueStart < 0) {
          if (nullStops) return 0;
          break;
        }
        copy(to, valueStart, valueEnd - valueStart);
        to += valueEnd - valueStart;
        break;
      case OFFSET:
        to = printNumber(to, baseOffset + offsetDelta);
        break;
      case TIMESTAMP:
        if (baseTimestamp + timestampDelta < 0) return 0;
        to = printNumber(to, baseTimestamp + timestampDelta);
        break;
      case JSON_KEY:
        to = printJsonField(to, keyStart, keyEnd);
        if (to == 0) return 0;
        break;
      case JSON_VALUE:
        to = printJsonField(to, valueStart, valueEnd);
        if (to == 0) return 0;
        break;
      default:
        return 0;
    }
  }
  return 0;
}

// @ts-expect-error: decorator
@inline
function printJsonField(to: usize, start: i32, end: i32): usize {
  if (start >= 0) return printJsonString(to, start, end);
  store<u32>(to, NULL);
  return to + 4;
}
