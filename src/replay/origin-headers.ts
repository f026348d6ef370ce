import type { RecordHeader } from '../format/log-record.js';

/** Where a replayed record came from, as headers behind its own. */
const ORIGIN_TOPIC = 'klog.origin.topic';
const ORIGIN_TOPIC_ID = 'klog.origin.topic.id';
const ORIGIN_PARTITION = 'klog.origin.partition';
const ORIGIN_OFFSET = 'klog.origin.offset';
const ORIGIN: ReadonlySet<string> = new Set([ORIGIN_TOPIC, ORIGIN_TOPIC_ID, ORIGIN_PARTITION, ORIGIN_OFFSET]);

export interface Origin {
  readonly topic: string;
  /** Tells the topic from one that has its name later. Unknown where nobody said so. */
  readonly topicId?: string | undefined;
  readonly partition: number;
  readonly offset: number;
}

export function originHeaders({ topic, topicId, partition, offset }: Origin): RecordHeader[] {
  return [
    { key: ORIGIN_TOPIC, value: Buffer.from(topic) },
    ...(topicId === undefined ? [] : [{ key: ORIGIN_TOPIC_ID, value: Buffer.from(topicId) }]),
    { key: ORIGIN_PARTITION, value: Buffer.from(String(partition)) },
    { key: ORIGIN_OFFSET, value: Buffer.from(String(offset)) },
  ];
}

export function withoutOrigin(headers: readonly RecordHeader[]): RecordHeader[] {
  return headers.filter(({ key }) => !ORIGIN.has(key));
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
  // One before the topic's name is of an earlier replay.
  const own = headers.slice(headers.findLastIndex(({ key }) => key === ORIGIN_TOPIC));
  const id = own.find(({ key }) => key === ORIGIN_TOPIC_ID)?.value;
  const topicId = id === undefined || id === null ? undefined : Buffer.from(id).toString();
  return { topic, topicId, partition, offset };
}

function isPlace(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}
