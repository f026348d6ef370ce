/**
 * Prints records by a template, many in one call: the loop of `klog consume`. It reads Kafka's record format (layout in
 * `record-batch-builder.ts`) and stops before the first record that is in any way unusual, or that does not fit;
 * JavaScript looks at that one and says what is wrong, if anything is. So nothing here needs to report an error.
 *
 * The memory never grows. Every load and store is inside it, since lengths are compared before they are used, and 16
 * bytes beyond what was asked for may be read and written everywhere.
 *
 * |      at |    size |                                                                                        |
 * |--------:|--------:|----------------------------------------------------------------------------------------|
 * |       0 |     256 | for each byte of a JSON string: 0 itself, 255 stop, else the letter behind a backslash |
 * |     256 |     256 | the template: steps of 8 bytes, u32 what, u16 where a text begins, u16 its length      |
 * |     512 |   3 KiB | the texts                                                                              |
 * |   4 096 | 380 KiB | what is printed; nothing begins in its last 64 bytes                                   |
 * | 393 216 |   4 KiB | the sources                                                                            |
 * | 397 312 | 128 KiB | windows of records, of each source one                                                 |
 *
 * A source is the records of one partition, 64 bytes:
 *
 * | at | field                                                     |
 * |---:|-----------------------------------------------------------|
 * |  0 | i32 where its next record begins: moved on                |
 * |  4 | i32 where its window ends                                 |
 * |  8 | i32 records that are left: counted down                   |
 * | 12 | i32 where the last record that was printed begins         |
 * | 16 | i32 the first offset delta that is printed                |
 * | 20 | i32 the one behind the last                               |
 * | 24 | i64 base offset                                           |
 * | 32 | i64 base timestamp                                        |
 * | 40 | i64 the timestamp of its next record, while it is merged  |
 * | 48 | i32 the last timestamp delta that is printed              |
 */
import { LEAST, at, moveTo, signed, unsigned } from './varint';

const ESCAPES: usize = 0;
const TEMPLATE: usize = 256;
const PRINTED_END: usize = 393152;
const SOURCES: usize = 393216;
const SOURCE_BYTES: usize = 64;

/** What a step prints behind its text. */
const END: u32 = 0;
const KEY: u32 = 1;
const VALUE: u32 = 2;
const OFFSET: u32 = 3;
const TIMESTAMP: u32 = 4;
const JSON_KEY: u32 = 5;
const JSON_VALUE: u32 = 6;

/** The length of what is null. */
const NULL: i32 = -1;
const NULL_TEXT: u32 = 0x6c6c756e;

// The template, besides its steps.
let textBytes: i32 = 0;
let bytesOfByte: i32 = 0;
let nullStops: bool = false;
let headersStop: bool = false;

/** Where what a call has printed ends. */
export let printEnd: i32 = 0;

/** Passes over a length and so many bytes. Answers the length, {@link NULL}, or less where they do not end by `end`. */
// @ts-expect-error: decorator
@inline
function passBytes(end: i32): i32 {
  const bits = unsigned();
  if (bits == 1) return NULL;
  if (bits < 0 || bits & 1) return LEAST;
  const length = bits >>> 1;
  moveTo(at + length);
  return at <= end ? length : LEAST;
}

function passHeaders(count: i32, recordEnd: i32): bool {
  if (count < 0) return false;
  for (let left = count; left > 0; left--) {
    if (passBytes(recordEnd) < 0 || passBytes(recordEnd) < NULL) return false;
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

/** With its quotes; returns the position behind it, or 0 for what is not for here: beyond ASCII, or a control byte. */
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
 * Says what goes with the steps of the template: the bytes of its texts and numbers, how many a byte of a key or a
 * value may become in all its fields, and what JavaScript looks at.
 */
export function setTemplate(bytes: i32, ofByte: i32, nulls: bool, headers: bool): void {
  textBytes = bytes;
  bytesOfByte = ofByte;
  nullStops = nulls;
  headersStop = headers;
}

/**
 * Prints up to `count` records of the first source from `out` on, and answers how many. Stops before the first one that
 * is unusual, cut off by its window's end, outside the source's deltas, without room, null where the template has none,
 * or with headers where it has none; and once `outStop` is reached.
 */
export function print(count: i32, out: i32, outStop: i32): i32 {
  const end = load<i32>(SOURCES, 4);
  const fromDelta = load<i32>(SOURCES, 16);
  const toDelta = load<i32>(SOURCES, 20);
  const lastTimestampDelta = load<i32>(SOURCES, 48);
  const baseOffset = load<i64>(SOURCES, 24);
  const baseTimestamp = load<i64>(SOURCES, 32);
  const most = min(count, load<i32>(SOURCES, 8));
  let done = 0;
  let to: usize = out;
  let start = load<i32>(SOURCES);
  let last = start;
  while (done < most && to < <usize>outStop && start < end) {
    const printed = printRecord(to, start, end, fromDelta, toDelta, lastTimestampDelta, baseOffset, baseTimestamp);
    if (printed == 0) break;
    to = printed;
    last = start;
    start = at;
    done++;
  }
  printEnd = <i32>to;
  store<i32>(SOURCES, start);
  store<i32>(SOURCES, load<i32>(SOURCES, 8) - done, 8);
  store<i32>(SOURCES, last, 12);
  return done;
}

/**
 * Prints the records of the first `sources` by time, of equal times those of the first one first. Stops where
 * {@link print} would, and where a source has no whole record left in its window.
 */
export function merge(sources: i32, count: i32, out: i32, outStop: i32): i32 {
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
    const start = load<i32>(first);
    const printed = printRecord(
      to,
      start,
      load<i32>(first, 4),
      load<i32>(first, 16),
      load<i32>(first, 20),
      load<i32>(first, 48),
      load<i64>(first, 24),
      load<i64>(first, 32),
    );
    if (printed == 0) break;
    to = printed;
    done++;
    store<i32>(first, at);
    store<i32>(first, load<i32>(first, 8) - 1, 8);
    store<i32>(first, start, 12);
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
  moveTo(load<i32>(source));
  if (load<i32>(source, 8) <= 0 || at >= end) return false;
  const length = signed();
  if (length < 0 || at + length > end) return false;
  moveTo(at + 1);
  const delta = signed();
  if (delta < LEAST) return false;
  store<i64>(source, load<i64>(source, 32) + <i64>delta, 40);
  return true;
}

/**
 * Prints the record at `start`, and leaves {@link at} behind it. Returns the position behind what is printed, or 0 when
 * JavaScript has to look at the record.
 */
// @ts-expect-error: decorator
@inline
function printRecord(
  to: usize,
  start: i32,
  end: i32,
  fromDelta: i32,
  toDelta: i32,
  lastTimestampDelta: i32,
  baseOffset: i64,
  baseTimestamp: i64,
): usize {
  moveTo(start);
  const length = signed();
  const recordEnd = at + length;
  if (length < 0 || recordEnd > end) return 0;
  moveTo(at + 1);
  const timestampDelta = signed();
  if (timestampDelta < LEAST || timestampDelta > lastTimestampDelta) return 0;
  const offsetDelta = signed();
  if (offsetDelta < fromDelta || offsetDelta >= toDelta) return 0;
  const keyLength = passBytes(recordEnd);
  if (keyLength < NULL) return 0;
  const key = at - keyLength;
  const valueLength = passBytes(recordEnd);
  if (valueLength < NULL) return 0;
  const value = at - valueLength;
  const headers = signed();
  if (headers != 0 && (headersStop || !passHeaders(headers, recordEnd))) return 0;
  if (at != recordEnd) return 0;

  // `null` is shorter than the number there is room for.
  const bytes = max(keyLength, 0) + max(valueLength, 0);
  if (<i32>to + textBytes + bytesOfByte * bytes > <i32>PRINTED_END) return 0;
  const offset = baseOffset + offsetDelta;
  const timestamp = baseTimestamp + timestampDelta;
  for (let step = TEMPLATE; ; step += 8) {
    const text: usize = load<u16>(step + 4);
    const length: usize = load<u16>(step + 6);
    copy(to, text, length);
    to += length;
    switch (load<u32>(step)) {
      case END:
        return to;
      case KEY:
        if (keyLength < 0) {
          if (nullStops) return 0;
          break;
        }
        copy(to, key, keyLength);
        to += keyLength;
        break;
      case VALUE:
        if (valueLength < 0) {
          if (nullStops) return 0;
          break;
        }
        copy(to, value, valueLength);
        to += valueLength;
        break;
      case OFFSET:
        to = printNumber(to, offset);
        break;
      case TIMESTAMP:
        if (timestamp < 0) return 0;
        to = printNumber(to, timestamp);
        break;
      case JSON_KEY:
        to = printJsonField(to, key, keyLength);
        if (to == 0) return 0;
        break;
      case JSON_VALUE:
        to = printJsonField(to, value, valueLength);
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
function printJsonField(to: usize, start: i32, length: i32): usize {
  if (length >= 0) return printJsonString(to, start, start + length);
  store<u32>(to, NULL_TEXT);
  return to + 4;
}
