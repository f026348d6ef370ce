/** The records of `__consumer_offsets` and `__transaction_state`, and which partition they go to. */
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../src/format/coordinator/consumer-protocol.js';
import {
  decodeGroupMetadata,
  encodeGroupMetadata,
  type GroupMetadata,
} from '../../src/format/coordinator/group-metadata.js';
import { groupPartition, javaStringHash } from '../../src/format/coordinator/group-partition.js';
import {
  decodeOffsetCommit,
  decodeOffsetCommitKey,
  encodeOffsetCommit,
  encodeOffsetCommitKey,
} from '../../src/format/coordinator/offset-commit.js';
import {
  decodeTransactionState,
  decodeTransactionStateKey,
  encodeTransactionState,
  encodeTransactionStateKey,
  TRANSACTION_STATUSES,
} from '../../src/format/coordinator/transaction-state.js';
import { isRefusal } from './refusal.js';
import type { ValueCheck } from './value-lists.js';

interface Partitions {
  vectors: { groupId: string; hashCode: number; partitionOf50: number }[];
}

export function runCoordinatorPartitions({ vectors }: Partitions, check: ValueCheck): void {
  for (const { groupId, hashCode, partitionOf50 } of vectors) {
    check.equal(`hash of ${JSON.stringify(groupId)}`, hashCode, javaStringHash(groupId));
    check.equal(`partition of ${JSON.stringify(groupId)}`, partitionOf50, groupPartition(groupId, 50));
  }
}

type Fields = Record<string, unknown>;

interface Records {
  vectors: { schema: string; version: number; hex: string; fields: Fields }[];
}

/** Fields as the vectors name and write them; those a version has not are left out of the comparison. */
interface Schema {
  /** Which versions klog writes: these must come out as the same bytes. */
  readonly written: readonly number[];
  decode(bytes: Uint8Array): unknown;
  encode(bytes: Uint8Array): Uint8Array;
  fields(bytes: Uint8Array): Fields;
}

/** The numbers no double holds, of offsets and producer ids: replaced by the largest one that can be read. */
const BEYOND = { hex: '0020000000000001', text: '9007199254740993' };
const WITHIN = { hex: '001fffffffffffff', text: '9007199254740991' };

export function runCoordinatorRecords({ vectors }: Records, check: ValueCheck): void {
  for (const { schema: name, version, hex, fields } of vectors) {
    const title = `${name} v${version}`;
    const schema = SCHEMAS[name];
    if (schema === undefined) {
      check.differences.push(`${title}: klog has no code for it`);
      continue;
    }
    const beyond = JSON.stringify(fields).includes(BEYOND.text);
    if (beyond) {
      check.exactOrRefused(title, BEYOND.text, () => {
        schema.decode(Buffer.from(hex, 'hex'));
        return Number.NaN;
      });
    }
    const readable = hex.replace(BEYOND.hex, WITHIN.hex);
    const expected = JSON.parse(JSON.stringify(fields).replace(BEYOND.text, WITHIN.text)) as Fields;
    const bytes = Buffer.from(readable, 'hex');
    try {
      const found = schema.fields(bytes);
      const inVersion = Object.keys(expected).map((field) => [field, found[field]]);
      check.equal(title, expected, Object.fromEntries(inVersion));
      if (schema.written.includes(version)) {
        check.equal(`${title} written again`, readable, Buffer.from(schema.encode(bytes)).toString('hex'));
      }
    } catch (error) {
      check.differences.push(`${title}: ${isRefusal(error) ? 'refused' : String(error)}`);
    }
  }
}

function hexOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
}

function groupFields(group: GroupMetadata, version: number): Fields {
  return {
    ...group,
    currentStateTimestamp: String(group.currentStateTimestamp),
    members: group.members.map((member) => ({
      memberId: member.memberId,
      ...(version >= 3 ? { groupInstanceId: member.groupInstanceId } : {}),
      clientId: member.clientId,
      clientHost: member.clientHost,
      ...(version >= 1 ? { rebalanceTimeout: member.rebalanceTimeoutMs } : {}),
      sessionTimeout: member.sessionTimeoutMs,
      subscriptionHex: hexOf(member.subscription),
      assignmentHex: hexOf(member.assignment),
    })),
  };
}

const SCHEMAS: Readonly<Record<string, Schema>> = {
  OffsetCommitKey: {
    written: [1],
    decode: decodeOffsetCommitKey,
    encode: (bytes) => encodeOffsetCommitKey(decodeOffsetCommitKey(bytes)),
    fields(bytes) {
      const { groupId: group, topic, partition } = decodeOffsetCommitKey(bytes);
      return { group, topic, partition };
    },
  },
  OffsetCommitValue: {
    written: [1, 3],
    decode: decodeOffsetCommit,
    encode: (bytes) => encodeOffsetCommit(decodeOffsetCommit(bytes)),
    fields(bytes) {
      const commit = decodeOffsetCommit(bytes);
      return {
        ...commit,
        offset: String(commit.offset),
        commitTimestamp: String(commit.commitTimestamp),
        expireTimestamp: String(commit.expireTimestamp),
      };
    },
  },
  GroupMetadataValue: {
    written: [3],
    decode: decodeGroupMetadata,
    encode: (bytes) => encodeGroupMetadata(decodeGroupMetadata(bytes)),
    fields: (bytes) => groupFields(decodeGroupMetadata(bytes), bytes[1]!),
  },
  ConsumerProtocolSubscription: {
    written: [3],
    decode: decodeSubscription,
    encode: (bytes) => encodeSubscription(decodeSubscription(bytes)),
    fields(bytes) {
      const subscription = decodeSubscription(bytes);
      return { ...subscription, userData: hexOf(subscription.userData) };
    },
  },
  ConsumerProtocolAssignment: {
    written: [1],
    decode: decodeAssignment,
    encode: (bytes) => encodeAssignment(decodeAssignment(bytes)),
    fields(bytes) {
      const assignment = decodeAssignment(bytes);
      return { ...assignment, userData: hexOf(assignment.userData) };
    },
  },
  TransactionLogKey: {
    written: [0],
    decode: decodeTransactionStateKey,
    encode: (bytes) => encodeTransactionStateKey(decodeTransactionStateKey(bytes) ?? ''),
    fields: (bytes) => ({ transactionalId: decodeTransactionStateKey(bytes) }),
  },
  TransactionLogValue: {
    written: [0],
    decode: decodeTransactionState,
    encode: (bytes) => encodeTransactionState(decodeTransactionState(bytes)),
    fields(bytes) {
      const state = decodeTransactionState(bytes);
      return {
        producerId: String(state.producerId),
        producerEpoch: state.producerEpoch,
        transactionTimeoutMs: state.transactionTimeoutMs,
        transactionStatus: TRANSACTION_STATUSES.indexOf(state.status),
        transactionPartitions: state.partitions.map(({ topic, partitions }) => ({ topic, partitionIds: partitions })),
        transactionLastUpdateTimestampMs: String(state.lastUpdateTimestamp),
        transactionStartTimestampMs: String(state.startTimestamp),
      };
    },
  },
};
