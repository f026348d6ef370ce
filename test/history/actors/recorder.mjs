// A process's own file of what it did: a line before each operation, a line after it, written at once, so that a kill
// leaves everything up to it. Stamps are CLOCK_MONOTONIC: comparable between the processes of a machine.
import { closeSync, openSync, writeSync } from 'node:fs';

export class Recorder {
  #fd;
  #id = 0;
  #hasAcknowledged = false;

  constructor(path) {
    this.#fd = openSync(path, 'a');
  }

  /** @returns {number} for the answer */
  invoke(question) {
    const id = ++this.#id;
    this.#write({ id, at: now(), invoke: question });
    return id;
  }

  answer(id, kind, result) {
    this.#write({ id, at: now(), [kind]: result });
    if (this.#hasAcknowledged || kind !== 'ok' || result.offsets === undefined) return;
    this.#hasAcknowledged = true;
    writeSync(1, 'acknowledged\n');
  }

  /** Something of the round's plan that came about. */
  event(event) {
    this.#write({ at: now(), event });
    // Whoever runs the round may end it then.
    writeSync(1, 'event\n');
  }

  crash(message) {
    this.#write({ crash: message });
  }

  close() {
    closeSync(this.#fd);
  }

  #write(line) {
    writeSync(this.#fd, `${JSON.stringify(line)}\n`);
  }
}

export function now() {
  return Number(process.hrtime.bigint());
}

export function pause(ms) {
  return new Promise((resolve) => {
    if (ms < 0.5) setImmediate(resolve);
    else setTimeout(resolve, ms);
  });
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
