/**
 * The varints of records, read one after the other. What has more than four bytes is for JavaScript: no length within a
 * window has, and no time within 37 hours of its batch's. So many bytes may be read behind the end of a window.
 */

/** Behind what was read last. */
export let at: i32 = 0;

// @ts-expect-error: decorator
@inline
export function moveTo(position: i32): void {
  at = position;
}

/** An unsigned varint; -1 for one that is too long. */
// @ts-expect-error: decorator
@inline
export function unsigned(): i32 {
  let byte: i32 = load<u8>(at++);
  if (byte < 0x80) return byte;
  let bits = byte & 0x7f;
  byte = load<u8>(at++);
  if (byte < 0x80) return bits | (byte << 7);
  bits |= (byte & 0x7f) << 7;
  for (let shift = 14; shift < 28; shift += 7) {
    byte = load<u8>(at++);
    bits |= (byte & 0x7f) << shift;
    if (byte < 0x80) return bits;
  }
  return -1;
}

/** The least number whose varint is not too long. */
export const LEAST: i32 = -0x800_0000;

/** A signed varint; less than {@link LEAST} for one that is too long. */
// @ts-expect-error: decorator
@inline
export function signed(): i32 {
  const bits = unsigned();
  return (bits >>> 1) ^ -(bits & 1);
}
