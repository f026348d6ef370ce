/**
 * GroupMetadata: the members of a group and what each was assigned, `GroupMetadataKey` and `GroupMetadataValue`.
 *
 * ```
 * key    i16 version 2 · group string
 * value  i16 version · protocolType string · generation i32 · protocol string? · leader string? ·
 *        currentStateTimestamp i64 (v2+) · members [
 *          memberId string · groupInstanceId string? (v3+) · clientId string · clientHost string ·
 *          rebalanceTimeout i32 (v1+) · sessionTimeout i32 · subscription bytes · assignment bytes ]
 * ```
 * Values from version 4 on are flexible; written is 3. `subscription` and `assignment` are those of
 * `consumer-protocol.ts` where `protocolType` is `consumer`.
 */
import { SchemaReader } from './schema-reader.js';
import { SchemaWriter } from './schema-writer.js';

const KEY_VERSION = 2;
const VALUE_VERSION = 3;
const FIRST_FLEXIBLE = 4;

export interface GroupMetadata {
  /** `consumer` for consumer groups, `connect` for workers; empty for a group that has only offsets. */
  readonly protocolType: string;
  /** One higher at each rebalance. */
  readonly generation: number;
  /** The assignor, such as `range`; null without members. */
  readonly protocol: string | null;
  /** The member whose assignment it is; null without members. */
  readonly leader: string | null;
  /** Milliseconds; -1: unknown. */
  readonly currentStateTimestamp: number;
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  readonly memberId: string;
  /** Of a static member. */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** -1: unknown. */
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly subscription: Uint8Array;
  readonly assignment: Uint8Array;
}

export function encodeGroupMetadataKey(groupId: string): Uint8Array {
  return new SchemaWriter().int16(KEY_VERSION).string(groupId).done();
}

/** The group's id. */
export function decodeGroupMetadataKey(bytes: Uint8Array): string {
  const reader = new SchemaReader(bytes, "The key of a group's metadata");
  reader.version();
  return reader.string('group');
}

export function encodeGroupMetadata(group: GroupMetadata): Uint8Array {
  const writer = new SchemaWriter().int16(VALUE_VERSION).string(group.protocolType).int32(group.generation);
  writer.string(group.protocol).string(group.leader).int64(group.currentStateTimestamp);
  writer.array(group.members, (member) => {
    writer.string(member.memberId).string(member.groupInstanceId).string(member.clientId).string(member.clientHost);
    writer.int32(member.rebalanceTimeoutMs).int32(member.sessionTimeoutMs);
    writer.bytes(member.subscription).bytes(member.assignment);
  });
  return writer.done();
}

export function decodeGroupMetadata(bytes: Uint8Array): GroupMetadata {
  const reader = new SchemaReader(bytes, "A group's metadata");
  const version = reader.version(FIRST_FLEXIBLE);
  const protocolType = reader.string('protocol type');
  const generation = reader.int32('generation');
  const protocol = reader.nullableString('protocol');
  const leader = reader.nullableString('leader');
  const currentStateTimestamp = version >= 2 ? reader.int64('current state timestamp') : -1;
  const members = reader.array('members', () => readMember(reader, version));
  reader.taggedFields();
  return { protocolType, generation, protocol, leader, currentStateTimestamp, members };
}

function readMember(reader: SchemaReader, version: number): GroupMember {
  const memberId = reader.string('member id');
  const groupInstanceId = version >= 3 ? reader.nullableString('group instance id') : null;
  const clientId = reader.string('client id');
  const clientHost = reader.string('client host');
  const rebalanceTimeoutMs = version >= 1 ? reader.int32('rebalance timeout') : -1;
  const sessionTimeoutMs = reader.int32('session timeout');
  const subscription = reader.bytes('subscription');
  const assignment = reader.bytes('assignment');
  reader.taggedFields();
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    sessionTimeoutMs,
    subscription,
    assignment,
  };
}
