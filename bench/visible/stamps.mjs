// What sender and receiver share: an entry of 104 bytes that begins with the moment it was sent, on a clock that all
// processes of a machine have in common (CLOCK_MONOTONIC).

export const ENTRY_BYTES = 104;

export function now() {
  return Number(process.hrtime.bigint());
}

/** The moment in nanoseconds, filled up, and a newline. */
export function stamp() {
  return Buffer.from(`${String(now()).padEnd(ENTRY_BYTES - 1, '.')}\n`);
}

/** Reads whole entries out of bytes in the order they came; `latenciesNs` is one number an entry. */
export class StampReader {
  latenciesNs = [];
  #rest = Buffer.alloc(0);

  take(bytes, seen = now()) {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (; all.length - at >= ENTRY_BYTES; at += ENTRY_BYTES) {
      this.latenciesNs.push(seen - Number.parseInt(all.latin1Slice(at, at + 24), 10));
    }
    this.#rest = Buffer.from(all.subarray(at));
  }
}
