/**
 * What a group's last GroupMetadata record says. Each member has what it is *assigned*, the target, and what it
 * *holds*: whatever it was assigned and has not released since, over any number of generations. A partition is a
 * member's to read when it is assigned to it and nobody else holds it.
 */
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../format/coordinator/consumer-protocol.js';
import type { GroupMetadata, GroupMember as MemberRecord } from '../format/coordinator/group-metadata.js';
import { decodeMemberPlace, encodeMemberPlace, type MemberPlace } from './member-place.js';
import { PartitionSet } from './partition-set.js';

const CONSUMER_PROTOCOL = 'consumer';

export interface MemberState {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** By name; what patterns have matched is among them. */
  readonly topics: readonly string[];
  /** `undefined`: not a member of klog's. */
  readonly place: MemberPlace | undefined;
  readonly assigned: PartitionSet;
  readonly held: PartitionSet;
}

export interface GroupState {
  /** -1: there was never a member. */
  readonly generation: number;
  /** The assignor; null without members. */
  readonly protocol: string | null;
  /** In the order they joined. */
  readonly members: ReadonlyMap<string, MemberState>;
}

export const NO_GROUP: GroupState = { generation: -1, protocol: null, members: new Map() };

/** What the member is assigned and nobody else holds. */
export function readableBy(state: GroupState, memberId: string): PartitionSet {
  const own = state.members.get(memberId);
  if (own === undefined) return PartitionSet.empty;
  const others = [...state.members.values()].filter((member) => member !== own && member.held.size > 0);
  return own.assigned.filter((partition) => !others.some(({ held }) => held.has(partition)));
}

/** What all members together are assigned. */
export function partitionsOf(state: GroupState): PartitionSet {
  return PartitionSet.of([...state.members.values()].flatMap(({ assigned }) => [...assigned]));
}

export function toGroupMetadata(state: GroupState, currentStateTimestamp: number): GroupMetadata {
  const members = [...state.members.values()].map((member) => toRecord(member, state.generation));
  return {
    protocolType: CONSUMER_PROTOCOL,
    generation: state.generation,
    protocol: state.protocol,
    leader: members[0]?.memberId ?? null,
    currentStateTimestamp,
    members,
  };
}

function toRecord(member: MemberState, generationId: number): MemberRecord {
  const { memberId, instanceId, clientId, clientHost, topics, place, assigned, held } = member;
  return {
    memberId,
    groupInstanceId: instanceId,
    clientId,
    clientHost,
    // Locks tell who lives: nobody is waited for by the clock.
    rebalanceTimeoutMs: -1,
    sessionTimeoutMs: -1,
    subscription: encodeSubscription({
      topics,
      userData: place === undefined ? null : encodeMemberPlace(place),
      ownedPartitions: held.grouped(),
      generationId,
      rackId: null,
    }),
    assignment: encodeAssignment({ assignedPartitions: assigned.grouped(), userData: null }),
  };
}

export function fromGroupMetadata({ protocolType, generation, protocol, members }: GroupMetadata): GroupState {
  // What the members of other kinds of groups say of themselves is another format: they are none of klog's.
  if (protocolType !== CONSUMER_PROTOCOL) return { generation, protocol, members: new Map() };
  const states = members.map((member): [string, MemberState] => {
    const { memberId, groupInstanceId, clientId, clientHost } = member;
    const { topics, userData, ownedPartitions } = decodeSubscription(member.subscription);
    const assigned = PartitionSet.from(decodeAssignment(member.assignment).assignedPartitions);
    const held = PartitionSet.from(ownedPartitions);
    const place = decodeMemberPlace(userData);
    return [memberId, { memberId, instanceId: groupInstanceId, clientId, clientHost, topics, place, assigned, held }];
  });
  return { generation, protocol, members: new Map(states) };
}
