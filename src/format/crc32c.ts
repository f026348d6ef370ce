/**
 * CRC-32C (Castagnoli; reflected polynomial 0x82F63B78, initial value and final xor 0xFFFFFFFF), the checksum of
 * record batches and producer snapshots. "123456789" gives e3069283.
 *
 * Short ranges are summed in JavaScript, 16 bytes a step through 16 tables: crossing into native code costs more than
 * it saves. Long ones go to the CPU's own instruction by the native addon, which is looked for when the first long
 * range comes, so that a command without one does not pay for loading it. Where there is no addon JavaScript does all.
 */
import { createRequire } from 'node:module';

/** From here on the addon is faster, its call and the view on the range included. */
const NATIVE_FROM_BYTES = 256;

type NativeCrc32c = (input: Uint8Array, previous?: number) => number;

/** Undefined: not looked for yet. Null: not there. */
let native: NativeCrc32c | null | undefined;

/** The checksum of `buffer[start, end)`, unsigned; `previous` is the sum of what stands before, to go on from there. */
export function crc32c(buffer: Uint8Array, start: number, end: number, previous = 0): number {
  if (end - start >= NATIVE_FROM_BYTES) {
    if (native === undefined) native = loadNative();
    if (native !== null) return native(new Uint8Array(buffer.buffer, buffer.byteOffset + start, end - start), previous);
  }
  return crc32cInJavaScript(buffer, start, end, previous);
}

/** Whether long ranges go to the CPU's own instruction. */
export function hasNativeCrc32c(): boolean {
  if (native === undefined) native = loadNative();
  return native !== null;
}

/** As {@link crc32c}, never with the addon. */
export function crc32cInJavaScript(buffer: Uint8Array, start: number, end: number, previous = 0): number {
  const t = tables;
  let crc = ~previous;
  let i = start;
  for (const last = end - 16; i <= last; i += 16) {
    const a = crc ^ (buffer[i]! | (buffer[i + 1]! << 8) | (buffer[i + 2]! << 16) | (buffer[i + 3]! << 24));
    crc =
      t[3840 + (a & 0xff)]! ^
      t[3584 + ((a >>> 8) & 0xff)]! ^
      t[3328 + ((a >>> 16) & 0xff)]! ^
      t[3072 + (a >>> 24)]! ^
      t[2816 + buffer[i + 4]!]! ^
      t[2560 + buffer[i + 5]!]! ^
      t[2304 + buffer[i + 6]!]! ^
      t[2048 + buffer[i + 7]!]! ^
      t[1792 + buffer[i + 8]!]! ^
      t[1536 + buffer[i + 9]!]! ^
      t[1280 + buffer[i + 10]!]! ^
      t[1024 + buffer[i + 11]!]! ^
      t[768 + buffer[i + 12]!]! ^
      t[512 + buffer[i + 13]!]! ^
      t[256 + buffer[i + 14]!]! ^
      t[buffer[i + 15]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ buffer[i]!) & 0xff]!;
  return ~crc >>> 0;
}

/** Table k (256 entries from 256 * k) holds the sums of each byte followed by k zero bytes. */
const tables = makeTables();

function makeTables(): Int32Array {
  const t = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    t[byte] = crc;
  }
  for (let i = 256; i < t.length; i++) {
    const before = t[i - 256]!;
    t[i] = (before >>> 8) ^ t[before & 0xff]!;
  }
  return t;
}

/**
 * The addon's platform package is asked for by its own name, because the loader of `@node-rs/crc32` costs more time
 * than the addon; where a package manager hides the platform package, the loader finds it.
 */
function loadNative(): NativeCrc32c | null {
  // In a CommonJS bundle `import.meta.url` is undefined; `__filename` is there in `node -e`, too, and names no file.
  const require = createRequire(import.meta.url ?? __filename);
  const platform = `@node-rs/crc32-${process.platform}-${process.arch}`;
  const names =
    process.platform === 'linux'
      ? [`${platform}-gnu`, `${platform}-musl`]
      : [process.platform === 'win32' ? `${platform}-msvc` : platform];
  for (const name of [...names, '@node-rs/crc32']) {
    try {
      const addon = require(name) as { crc32c: NativeCrc32c };
      // A wrong answer would write logs that nothing can read: trust it only after the standard's check value.
      if (addon.crc32c(Uint8Array.of(49, 50, 51, 52, 53, 54, 55, 56, 57)) === 0xe3069283) return addon.crc32c;
    } catch {
      // Not installed, or not for this machine.
    }
  }
  return null;
}
