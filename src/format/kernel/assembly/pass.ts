/**
 * Passes over many records in one call: where a batch is entered in the middle. It stops before the first record that
 * is in any way unusual, or that does not end within the window; JavaScript looks at that one. So nothing here needs to
 * report an error.
 *
 * The memory is the window of records and some bytes behind it, which may be read.
 */
const MINIMUM_RECORD_LENGTH: i32 = 6;
/** Records of any time are passed over. */
const ANY_TIME: i32 = i32.MAX_VALUE;

/** Where the record after the last one that was passed over begins. */
export let passEnd: i32 = 0;

/** Behind a varint. */
let at: i32 = 0;

/** An unsigned varint of four bytes at most; -1 for a longer one. */
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
  if (byte < 0x80) return bits | (byte << 14);
  bits |= (byte & 0x7f) << 14;
  byte = load<u8>(at++);
  return byte < 0x80 ? bits | (byte << 21) : -1;
}

/**
 * Passes over up to `most` of the records in [0, end), as long as their timestamp delta is below `delta`. Answers how
 * many.
 */
export function pass(end: i32, most: i32, delta: i32): i32 {
  let position = 0;
  let count = 0;
  while (count < most && position < end) {
    at = position;
    const length = unsigned();
    // The lowest bit is the sign: an odd number is negative.
    if (length < 2 * MINIMUM_RECORD_LENGTH || length & 1) break;
    const next = at + (length >>> 1);
    if (next > end) break;
    if (delta != ANY_TIME) {
      at++;
      const time = unsigned();
      if (time < 0 || ((time >>> 1) ^ -(time & 1)) >= delta) break;
    }
    position = next;
    count++;
  }
  passEnd = position;
  return count;
}
