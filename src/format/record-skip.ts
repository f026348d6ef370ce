/**
 * Passes over records by their lengths alone: where a batch of ten thousand is entered in the middle, code that has
 * just been started would take longer for the fields of those before than for all else. What does not look like a
 * record ends the passing; whoever reads on from there finds out what it is.
 *
 * | field     |                       |                          |
 * |-----------|-----------------------|--------------------------|
 * | length    | varint, zigzag        | of what follows          |
 * | attributes | 1 byte               |                          |
 * | timestamp | varlong, zigzag       | delta to the batch's     |
 * | offset    | varint, zigzag        | delta to the batch's     |
 */

import { PassKernel } from './kernel/pass-kernel.js';
import { kernelIfAny } from './kernel/web-assembly.js';

/** Attributes and five one-byte varints. */
const MINIMUM_RECORD_LENGTH = 6;
/** Varints of four bytes and less: whole numbers of the engine's own. */
const LARGEST_SHIFT = 21;

/** How far {@link passRecords} came. */
export interface PassedRecords {
  count: number;
  /** Where the record after them begins. */
  position: number;
}

/** No record is too late. */
export const ANY_TIME = Number.POSITIVE_INFINITY;

/** From so many on it is worth a kernel. */
const MANY = 1000;

let kernel: PassKernel | undefined;

/** Passes over up to `most` records, as long as they look like some and have a timestamp delta below `delta`. */
export function passRecords(
  buffer: Uint8Array,
  start: number,
  end: number,
  most: number,
  delta: number,
  passed: PassedRecords,
): void {
  passed.count = 0;
  passed.position = start;
  if (most >= MANY) {
    kernel ??= kernelIfAny(() => new PassKernel());
    kernel?.pass(buffer, end, most, delta, passed);
  }
  passOneByOne(buffer, end, most, delta, passed);
}

/** Goes on from `passed`. What it passes over the kernel may leave to it, and what it does not the kernel must. */
function passOneByOne(buffer: Uint8Array, end: number, most: number, delta: number, passed: PassedRecords): void {
  let { count, position } = passed;
  passing: for (; count < most; count++) {
    let at = position;
    let byte = at < end ? buffer[at++]! : 0x80;
    let bits = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (at >= end || shift > LARGEST_SHIFT) break passing;
      byte = buffer[at++]!;
      bits |= (byte & 0x7f) << shift;
    }
    const length = (bits >>> 1) ^ -(bits & 1);
    if (length < MINIMUM_RECORD_LENGTH || length > end - at) break;
    const next = at + length;
    if (delta !== ANY_TIME) {
      // Behind the attributes. The shortest record has bytes enough for a delta that is looked at.
      byte = buffer[++at]!;
      bits = byte & 0x7f;
      for (let shift = 7; byte >= 0x80; shift += 7) {
        if (shift > LARGEST_SHIFT) break passing;
        byte = buffer[++at]!;
        bits |= (byte & 0x7f) << shift;
      }
      if (((bits >>> 1) ^ -(bits & 1)) >= delta) break;
    }
    position = next;
  }
  passed.count = count;
  passed.position = position;
}

const one: PassedRecords = { count: 0, position: 0 };

/** The offset delta of the record at `start`; -1: it cannot be told so simply. */
export function offsetDeltaAt(buffer: Uint8Array, start: number, end: number): number {
  passRecords(buffer, start, end, 1, ANY_TIME, one);
  if (one.count === 0) return -1;
  const next = one.position;
  let at = lengthEnd(buffer, start, end) + 1;
  while (at < next && buffer[at]! >= 0x80) at++;
  at++;
  let byte = at < next ? buffer[at++]! : 0x80;
  let bits = byte & 0x7f;
  for (let shift = 7; byte >= 0x80; shift += 7) {
    if (at >= next || shift > LARGEST_SHIFT) return -1;
    byte = buffer[at++]!;
    bits |= (byte & 0x7f) << shift;
  }
  return (bits >>> 1) ^ -(bits & 1);
}

function lengthEnd(buffer: Uint8Array, start: number, end: number): number {
  let position = start;
  while (position < end && buffer[position]! >= 0x80) position++;
  return position + 1;
}
