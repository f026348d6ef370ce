/**
 * What the members of a consumer group tell each other in the metadata of the group: `ConsumerProtocolSubscription`
 * and `ConsumerProtocolAssignment`.
 *
 * ```
 * subscription  i16 version · topics [string] · userData bytes? · ownedPartitions [topic string · [i32]] (v1+) ·
 *               generationId i32 (v2+) · rackId string? (v3+)
 * assignment    i16 version · assignedPartitions [topic string · [i32]] · userData bytes?
 * ```
 * Never flexible. What later versions add lies behind: it is not looked at.
 */
import { SchemaReader } from './schema-reader.js';
import { SchemaWriter } from './schema-writer.js';

const SUBSCRIPTION_VERSION = 3;
const ASSIGNMENT_VERSION = 1;

/** Partitions of one topic, in the order of the bytes. */
export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface Subscription {
  readonly topics: readonly string[];
  readonly userData: Uint8Array | null;
  readonly ownedPartitions: readonly TopicPartitions[];
  /** In which generation they were assigned; -1: unknown. */
  readonly generationId: number;
  readonly rackId: string | null;
}

export interface Assignment {
  readonly assignedPartitions: readonly TopicPartitions[];
  readonly userData: Uint8Array | null;
}

export function encodeSubscription(subscription: Subscription): Uint8Array {
  const writer = new SchemaWriter().int16(SUBSCRIPTION_VERSION);
  writer.array(subscription.topics, (topic) => writer.string(topic)).bytes(subscription.userData);
  writeTopicPartitions(writer, subscription.ownedPartitions);
  return writer.int32(subscription.generationId).string(subscription.rackId).done();
}

export function decodeSubscription(bytes: Uint8Array): Subscription {
  const reader = new SchemaReader(bytes, "A member's subscription");
  const version = reader.version();
  const topics = reader.array('topics', () => reader.string('topic'));
  const userData = reader.nullableBytes('user data');
  const ownedPartitions = version >= 1 ? readTopicPartitions(reader, 'owned partitions') : [];
  const generationId = version >= 2 ? reader.int32('generation') : -1;
  const rackId = version >= 3 ? reader.nullableString('rack') : null;
  return { topics, userData, ownedPartitions, generationId, rackId };
}

export function encodeAssignment(assignment: Assignment): Uint8Array {
  const writer = new SchemaWriter().int16(ASSIGNMENT_VERSION);
  writeTopicPartitions(writer, assignment.assignedPartitions);
  return writer.bytes(assignment.userData).done();
}

/** No bytes at all, as a group has them between joining and assigning, are no partitions. */
export function decodeAssignment(bytes: Uint8Array): Assignment {
  if (bytes.length === 0) return { assignedPartitions: [], userData: null };
  const reader = new SchemaReader(bytes, "A member's assignment");
  reader.version();
  const assignedPartitions = readTopicPartitions(reader, 'assigned partitions');
  return { assignedPartitions, userData: reader.nullableBytes('user data') };
}

function readTopicPartitions(reader: SchemaReader, field: string): TopicPartitions[] {
  return reader.array(field, () => {
    const topic = reader.string('topic');
    return { topic, partitions: reader.array('partitions', () => reader.int32('partition')) };
  });
}

function writeTopicPartitions(writer: SchemaWriter, owned: readonly TopicPartitions[]): void {
  writer.array(owned, ({ topic, partitions }) => {
    writer.string(topic).array(partitions, (partition) => writer.int32(partition));
  });
}
