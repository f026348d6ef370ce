import type { Acknowledgement, RecordWriter } from '../../clients/producer.js';
import type { LatencyHistogram } from './latency-histogram.js';
import type { Payloads } from './payloads.js';
import { nowMs } from './perf-clock.js';
import { SentRecords } from './sent-records.js';

export interface WriteTask {
  readonly writer: RecordWriter;
  readonly payloads: Payloads;
  readonly records: number;
  /** Of `records`, the first so many count for nothing. */
  readonly warmupRecords: number;
  /** When a record may follow: with a rate. */
  readonly limit: { take(): boolean; wait(): Promise<void> } | undefined;
  /** A partition is given so many bytes before it is the next one's turn. */
  readonly turnBytes: number;
  readonly latencies: LatencyHistogram;
  readonly signal: AbortSignal;
  /** After each acknowledgement. */
  readonly onProgress: () => void;
}

/**
 * Records that are handed over without a wait between them share a look at the clock, so many at most: microseconds.
 */
const RECORDS_A_LOOK = 16;

/**
 * Writes records and measures each from the moment it is handed over, waiting for room included, to its
 * acknowledgement. Partitions take turns, which the run itself decides: so it knows whose record an acknowledgement is
 * of.
 */
export class PerfWriter {
  /** Measured and acknowledged. */
  records = 0;
  /** Of the values of {@link records}. */
  bytes = 0;
  /** Acknowledged runs: batches. */
  batches = 0;
  /** As they stand in the log. */
  storedBytes = 0;
  /** When the first measured record was handed over. */
  beganMs = Number.NaN;
  readonly #task: WriteTask;
  readonly #sent: SentRecords[];
  #measuredBytes = 0;
  #measuredRecords = 0;

  constructor(task: WriteTask) {
    this.#task = task;
    this.#sent = Array.from({ length: task.writer.partitionCount }, () => new SentRecords());
    task.writer.onAcknowledged = (run) => this.#acknowledged(run);
  }

  /** Until all are handed over, or the signal aborts; flush afterwards. */
  async write(): Promise<void> {
    const { writer, payloads, records, warmupRecords, limit, turnBytes, signal } = this.#task;
    const partitions = this.#sent.length;
    let partition = 0;
    let left = turnBytes;
    let hasRoom = true;
    let mayGo = true;
    for (let index = 0; index < records && !signal.aborted; ) {
      const isMeasured = index >= warmupRecords;
      const handedOver = nowMs();
      if (isMeasured && Number.isNaN(this.beganMs)) this.beganMs = handedOver;
      if (!hasRoom) await writer.ready();
      const timestamp = Date.now();
      const sent = this.#sent[partition]!;
      const end = Math.min(index + RECORDS_A_LOOK, isMeasured ? records : warmupRecords);
      let count = 0;
      let bytes = 0;
      try {
        do {
          payloads.next(index + count);
          const { buffer, start, end: valueEnd } = payloads;
          hasRoom = writer.append(null, 0, 0, buffer, start, valueEnd, timestamp, null, partition);
          bytes += valueEnd - start;
          count++;
          mayGo = limit === undefined || limit.take();
        } while (index + count < end && hasRoom && mayGo);
      } finally {
        // Those before one that was refused are on their way all the same.
        sent.send(isMeasured ? handedOver : Number.NaN, count);
      }
      index += count;
      if (isMeasured) {
        this.#measuredBytes += bytes;
        this.#measuredRecords += count;
      }
      left -= bytes;
      if (left <= 0) {
        partition = (partition + 1) % partitions;
        left = turnBytes;
      }
      // A record that is not due yet is not late.
      if (!mayGo) await limit!.wait();
    }
  }

  #acknowledged(run: Acknowledgement): void {
    const { latencies, onProgress } = this.#task;
    this.batches++;
    this.storedBytes += run.bytes;
    this.records += this.#sent[run.partition]!.acknowledge(run.records, nowMs(), latencies);
    // All are of about one size: at the end it is exact.
    this.bytes =
      this.#measuredRecords === 0 ? 0 : Math.round((this.#measuredBytes * this.records) / this.#measuredRecords);
    onProgress();
  }
}
