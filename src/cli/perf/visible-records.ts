import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Client, ConsumerBatch } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import { nowMs } from './perf-clock.js';

/** Where a record is waited for. */
export interface VisibleRecords {
  /** When a record with this value was seen; NaN: it was asked to stop before. Ask before the record is sent. */
  seen(value: Buffer): Promise<number>;
  close(): Promise<void>;
}

export interface WatchedPartition {
  readonly partition: number;
  /** The first that is looked at. */
  readonly from: number;
}

/** Longer than any disk should take. Kafka's own. */
const TIMEOUT_MS = 60_000;

function notSeen(topic: string, why: string): KlogError {
  return new KlogError('KLOG_TIMED_OUT', `a record sent to '${topic}' was not seen: ${why}`, { topic });
}

/** A consumer in this process: what it shares with the producer is this thread. */
export class ConsumedRecords implements VisibleRecords {
  readonly #topic: string;
  readonly #signal: AbortSignal;
  readonly #batches: AsyncIterator<ConsumerBatch>;
  readonly #close: () => Promise<void>;
  #batch: ConsumerBatch | undefined;

  constructor(client: Client, topic: string, partitions: readonly WatchedPartition[], signal: AbortSignal) {
    this.#topic = topic;
    this.#signal = signal;
    const consumer = client.consumer({ topics: [{ topic, partitions }], follow: true, timeoutMs: TIMEOUT_MS, signal });
    this.#batches = consumer.batches()[Symbol.asyncIterator]();
    this.#close = () => consumer.close();
  }

  async seen(value: Buffer): Promise<number> {
    for (;;) {
      // Other producers' records are passed over.
      while (this.#batch?.cursor.next()) {
        const { buffer, valueStart, valueEnd } = this.#batch.cursor;
        if (valueStart >= 0 && value.compare(buffer, valueStart, valueEnd) === 0) return nowMs();
      }
      const next = await this.#batches.next();
      if (next.done === true) {
        if (this.#signal.aborted) return Number.NaN;
        throw notSeen(this.#topic, `nothing came within ${TIMEOUT_MS / 1000} s`);
      }
      this.#batch = next.value;
    }
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/**
 * A `klog consume -F` in a process of its own, whose output is read through a pipe: seen is what has come out of that.
 */
export class PrintedRecords implements VisibleRecords {
  readonly #topic: string;
  readonly #signal: AbortSignal;
  readonly #child: ChildProcess;
  readonly #lines: { readonly text: string; readonly seenMs: number }[] = [];
  #rest = '';
  #wake: (() => void) | undefined;
  #hasEnded = false;

  constructor(directory: string, topic: string, partitions: readonly WatchedPartition[], signal: AbortSignal) {
    this.#topic = topic;
    this.#signal = signal;
    const from = partitions.map((one) => `${one.partition}=${one.from}`).join(',');
    // The program that runs this.
    const program = process.argv[1] ?? '';
    const args = [program, 'consume', topic, '-d', directory, '-F', '-o', from, '-f', '%v\\n'];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout!.setEncoding('latin1').on('data', (text: string) => this.#take(text));
    this.#child.on('error', () => this.#end());
    this.#child.on('close', () => this.#end());
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  async seen(value: Buffer): Promise<number> {
    const wanted = value.toString('latin1');
    const deadline = nowMs() + TIMEOUT_MS;
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        if (line.text === wanted) return line.seenMs;
      }
      if (this.#signal.aborted) return Number.NaN;
      if (this.#hasEnded) throw notSeen(this.#topic, 'the process that consumes has ended');
      const left = deadline - nowMs();
      if (left <= 0) throw notSeen(this.#topic, `nothing came within ${TIMEOUT_MS / 1000} s`);
      await this.#change(left);
    }
  }

  async close(): Promise<void> {
    if (this.#hasEnded) return;
    const closed = once(this.#child, 'close');
    this.#child.kill();
    await closed;
  }

  #change(longestMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longestMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #take(text: string): void {
    const seenMs = nowMs();
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#lines.push({ text: line, seenMs });
    this.#wake?.();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }
}
