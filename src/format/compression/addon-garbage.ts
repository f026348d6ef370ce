/**
 * What an addon returns lies in memory of its own, which V8 does not count. Where little else is allocated it sees no
 * reason to collect for a long time, while tens of megabytes wait that nobody holds any more. So their bytes are
 * counted here, and young garbage is collected, in less than a millisecond, when there are enough of them.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So much may wait. */
const GARBAGE_BYTES = 4 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;

let garbageBytes = 0;
/** Undefined: not asked for yet. Null: this engine has none. */
let collect: Collect | null | undefined;

/** An addon has returned so many bytes, which are needed for a moment only. */
export function countAddonGarbage(bytes: number): void {
  garbageBytes += bytes;
  if (garbageBytes < GARBAGE_BYTES) return;
  garbageBytes = 0;
  if (collect === undefined) collect = findCollect();
  collect?.({ type: 'minor' });
}

function findCollect(): Collect | null {
  // Contexts made from now on have the function; that of the application is as it was.
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  return typeof found === 'function' ? (found as Collect) : null;
}
