import type { RecordHeader } from '../format/log-record.js';

/** Where a replayed record came from, as headers behind its own. */
const ORIGIN_TOPIC = 'klog.origin.topic';
const ORIGIN_PARTITION = 'klog.origin.partition';
const ORIGIN_OFFSET = 'klog.origin.offset';

export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export function originHeaders({ topic, partition, offset }: Origin): RecordHeader[] {
  return [
    { key: ORIGIN_TOPIC, value: Buffer.from(topic) },
    { key: ORIGIN_PARTITION, value: Buffer.from(String(partition)) },
    { key: ORIGIN_OFFSET, value: Buffer.from(String(offset)) },
  ];
}

export function withoutOrigin(headers: readonly RecordHeader[]): RecordHeader[] {
  return headers.filter(({ key }) => key !== ORIGIN_TOPIC && key !== ORIGIN_PARTITION && key !== ORIGIN_OFFSET);
}

/** Whether a record names the topic among its origins, however many replays ago that was. */
export function cameFrom(headers: readonly RecordHeader[], topic: string): boolean {
  return headers.some(
    ({ key, value }) => key === ORIGIN_TOPIC && value !== null && Buffer.from(value).equals(Buffer.from(topic)),
  );
}

/** The latest origin a record names; `undefined`: it was never replayed. */
export function originOf(headers: readonly RecordHeader[]): Origin | undefined {
  const text = (key: string) => {
    const value = headers.findLast((header) => header.key === key)?.value;
    return value === undefined || value === null ? undefined : Buffer.from(value).toString();
  };
  const topic = text(ORIGIN_TOPIC);
  const partition = Number(text(ORIGIN_PARTITION) ?? Number.NaN);
  const offset = Number(text(ORIGIN_OFFSET) ?? Number.NaN);
  if (topic === undefined || !isPlace(partition) || !isPlace(offset)) return undefined;
  return { topic, partition, offset };
}

function isPlace(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}
