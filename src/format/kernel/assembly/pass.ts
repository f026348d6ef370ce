/**
 * Passes over many records in one call: where a batch is entered in the middle. It stops before the first record that
 * is in any way unusual, or that does not end within the window; JavaScript looks at that one. So nothing here needs to
 * report an error.
 *
 * The memory is the window of records and some bytes behind it, which may be read.
 */
import { LEAST, at, moveTo, signed } from './varint';

const MINIMUM_RECORD_LENGTH: i32 = 6;
/** Records of any time are passed over. */
const ANY_TIME: i32 = i32.MAX_VALUE;

/** Where the record after the last one that was passed over begins. */
export let passEnd: i32 = 0;

/**
 * Passes over up to `most` of the records in [0, end), as long as their timestamp delta is below `delta`. Answers how
 * many.
 */
export function pass(end: i32, most: i32, delta: i32): i32 {
  let position = 0;
  let count = 0;
  while (count < most && position < end) {
    moveTo(position);
    const length = signed();
    if (length < MINIMUM_RECORD_LENGTH) break;
    const next = at + length;
    if (next > end) break;
    if (delta != ANY_TIME) {
      moveTo(at + 1);
      const time = signed();
      if (time < LEAST || time >= delta) break;
    }
    position = next;
    count++;
  }
  passEnd = position;
  return count;
}
