import type { Acknowledgement, Acks } from '../../clients/producer.js';
import { counted } from '../listing.js';
import { sizeText } from '../size-text.js';
import { ACKS_DONE } from './acks.js';

export interface PartitionTally {
  readonly topic: string;
  readonly partition: number;
  /** -1: unknown. */
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** What is as safe as it was asked to be. */
export class ProduceTally {
  records = 0;
  /** As they stand in the log. */
  bytes = 0;
  readonly #partitions = new Map<string, PartitionTally>();

  add(run: Acknowledgement): void {
    const { topic, partition } = run;
    this.records += run.records;
    this.bytes += run.bytes;
    const id = `${topic}:${partition}`;
    const known = this.#partitions.get(id);
    this.#partitions.set(id, {
      topic,
      partition,
      firstOffset: known?.firstOffset ?? run.firstOffset,
      lastOffset: Math.max(known?.lastOffset ?? -1, run.lastOffset),
    });
  }

  /** By topic and number. */
  partitions(): PartitionTally[] {
    return [...this.#partitions.values()].sort(
      (a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0) || a.partition - b.partition,
    );
  }
}

/** What `--json` prints. Partitions of another topic than the one named carry its name. */
export function tallyObject(tally: ProduceTally, topic: string | undefined, elapsedMs: number): object {
  return {
    topic,
    records: tally.records,
    bytes: tally.bytes,
    partitions: tally.partitions().map((one) => ({
      ...(one.topic === topic ? {} : { topic: one.topic }),
      partition: one.partition,
      firstOffset: one.firstOffset,
      lastOffset: one.lastOffset,
    })),
    elapsedMs: Math.round(elapsedMs),
  };
}

/** `3 records, 87 bytes in 12 ms (250 records/s, 7.1 KiB/s): orders:0@0-2`. */
export function summaryLine(tally: ProduceTally, elapsedMs: number): string {
  const rates = `${rateOf(tally.records, elapsedMs)} records/s, ${sizeText(rateOf(tally.bytes, elapsedMs))}/s`;
  const amount = `${counted(tally.records, 'record')}, ${sizeText(tally.bytes)}`;
  const line = `${amount} in ${formatMs(elapsedMs)} (${rates})`;
  const places = tally.partitions().map(({ topic, partition, firstOffset, lastOffset }) => {
    const range = firstOffset === lastOffset ? `${firstOffset}` : `${firstOffset}-${lastOffset}`;
    return lastOffset < 0 ? `${topic}:${partition}` : `${topic}:${partition}@${range}`;
  });
  return places.length === 0 ? line : `${line}: ${abbreviated(places)}`;
}

/** After a failure: what can be relied on all the same. */
export function durableLine(tally: ProduceTally, acks: Acks): string {
  const places = tally
    .partitions()
    .filter(({ lastOffset }) => lastOffset >= 0)
    .map(({ topic, partition, lastOffset }) => `${topic}:${partition}@${lastOffset}`);
  const count = `${counted(tally.records, 'record')} ${tally.records === 1 ? 'is' : 'are'} ${ACKS_DONE[acks]}`;
  if (places.length === 0) return count;
  return `${count}, the last at ${abbreviated(places)}`;
}

const MAX_PLACES = 16;

function abbreviated(places: readonly string[]): string {
  const shown = places.slice(0, MAX_PLACES).join(', ');
  const left = places.length - MAX_PLACES;
  return left > 0 ? `${shown} and ${left} more` : shown;
}

function rateOf(count: number, elapsedMs: number): number {
  return Math.round((count * 1000) / Math.max(1, elapsedMs));
}

function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
