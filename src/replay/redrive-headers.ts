import type { RecordHeader } from '../format/log-record.js';
import { withoutErrorHeaders } from './error-headers.js';
import { type Origin, originHeaders, withoutOrigin } from './origin-headers.js';

/** How many times a record was sent back already. */
const REDRIVES = 'klog.redrives';

/** Where a record is to go back to. Without a partition its key decides. */
export interface Destination {
  readonly topic: string;
  readonly partition: number | undefined;
}

/**
 * What the first of the named headers that a record has says. The partition is in the header of the same name with
 * `partition` in place of `topic`, as text, or as Spring's four bytes. Undefined: it has none of them.
 */
export function destinationOf(headers: readonly RecordHeader[], names: readonly string[]): Destination | undefined {
  for (const name of names) {
    const topic = lastValue(headers, name);
    if (topic === undefined) continue;
    const partition = name.endsWith('topic')
      ? partitionOf(lastValue(headers, `${name.slice(0, -'topic'.length)}partition`))
      : undefined;
    return { topic: Buffer.from(topic).toString(), partition };
  }
  return undefined;
}

export function redrivesOf(headers: readonly RecordHeader[]): number {
  const count = Number(Buffer.from(lastValue(headers, REDRIVES) ?? '0').toString());
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/**
 * A record's own headers, without those of its failure; behind them where it comes from and how often it was sent back.
 */
export function redrivenHeaders(headers: readonly RecordHeader[], origin: Origin): RecordHeader[] {
  const count = Buffer.from(String(redrivesOf(headers) + 1));
  const own = withoutOrigin(withoutErrorHeaders(headers)).filter(({ key }) => key !== REDRIVES);
  return [...own, ...originHeaders(origin), { key: REDRIVES, value: count }];
}

function lastValue(headers: readonly RecordHeader[], name: string): Uint8Array | undefined {
  return headers.findLast(({ key }) => key === name)?.value ?? undefined;
}

function partitionOf(value: Uint8Array | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bytes = Buffer.from(value);
  const text = bytes.toString('latin1');
  if (/^\d{1,9}$/.test(text)) return Number(text);
  return bytes.length === 4 ? bytes.readInt32BE() : undefined;
}
