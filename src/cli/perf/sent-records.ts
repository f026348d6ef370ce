import type { LatencyHistogram } from './latency-histogram.js';

const FIRST_ROOM = 1024;

/**
 * When the records of one partition were handed over, until they are acknowledged: in the same order. Runs of records
 * that were handed over together share an entry of a ring, which grows when more are under way than ever before.
 */
export class SentRecords {
  #times = new Float64Array(FIRST_ROOM);
  #counts = new Float64Array(FIRST_ROOM);
  #first = 0;
  #runs = 0;

  /** `ms`: on the clock of {@link acknowledge}; NaN: these are not to be measured. */
  send(ms: number, count: number): void {
    if (this.#runs === this.#times.length) this.#grow();
    const at = (this.#first + this.#runs) % this.#times.length;
    this.#times[at] = ms;
    this.#counts[at] = count;
    this.#runs++;
  }

  /** The oldest `count` are acknowledged. Answers how many of them were to be measured. */
  acknowledge(count: number, nowMs: number, latencies: LatencyHistogram): number {
    let measured = 0;
    for (let left = count; left > 0; ) {
      if (this.#runs === 0) throw new Error(`${left} records are acknowledged that were not sent`);
      const at = this.#first;
      const ofRun = this.#counts[at]!;
      const taken = Math.min(left, ofRun);
      const sentMs = this.#times[at]!;
      if (!Number.isNaN(sentMs)) {
        latencies.record(nowMs - sentMs, taken);
        measured += taken;
      }
      left -= taken;
      if (taken < ofRun) {
        this.#counts[at] = ofRun - taken;
        continue;
      }
      this.#first = (at + 1) % this.#times.length;
      this.#runs--;
    }
    return measured;
  }

  #grow(): void {
    const room = this.#times.length;
    this.#times = unrolled(this.#times, this.#first, room * 2);
    this.#counts = unrolled(this.#counts, this.#first, room * 2);
    this.#first = 0;
  }
}

function unrolled(ring: Float64Array, first: number, room: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(room);
  larger.set(ring.subarray(first));
  larger.set(ring.subarray(0, first), ring.length - first);
  return larger;
}
