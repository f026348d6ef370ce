import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KlogError } from '../../../src/errors.js';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/format/coordinator/consumer-protocol.js';
import {
  encodeGroupMetadata,
  encodeGroupMetadataKey,
  type GroupMetadata,
} from '../../../src/format/coordinator/group-metadata.js';
import { groupPartition } from '../../../src/format/coordinator/group-partition.js';
import { decodeGroupRecord } from '../../../src/format/coordinator/group-record.js';
import {
  decodeOffsetCommit,
  encodeOffsetCommit,
  encodeOffsetCommitKey,
  type OffsetCommit,
} from '../../../src/format/coordinator/offset-commit.js';
import {
  decodeTransactionState,
  decodeTransactionStateKey,
  encodeTransactionState,
  TRANSACTION_STATUSES,
  type TransactionState,
} from '../../../src/format/coordinator/transaction-state.js';
import { readValues } from '../kafka-fixtures.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const KEY = { groupId: 'my-group', topic: 'orders', partition: 7 };
const COMMIT: OffsetCommit = {
  offset: 42,
  leaderEpoch: 12,
  metadata: 'méta',
  commitTimestamp: 1_700_000_000_000,
  expireTimestamp: -1,
};
const GROUP: GroupMetadata = {
  protocolType: 'consumer',
  generation: 5,
  protocol: 'range',
  leader: 'm-1',
  currentStateTimestamp: 1_700_000_000_000,
  members: [
    {
      memberId: 'm-1',
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: 300_000,
      sessionTimeoutMs: 45_000,
      subscription: encodeSubscription({
        topics: ['orders'],
        userData: null,
        ownedPartitions: [],
        generationId: -1,
        rackId: null,
      }),
      assignment: encodeAssignment({ assignedPartitions: [{ topic: 'orders', partitions: [0, 2] }], userData: null }),
    },
  ],
};

describe('records of __consumer_offsets', () => {
  it('are offset commits and group metadata, by the version of the key', () => {
    const committed = decodeGroupRecord(encodeOffsetCommitKey(KEY), encodeOffsetCommit(COMMIT));
    expect(committed).toEqual({ kind: 'offset-commit', ...KEY, commit: COMMIT });
    const group = decodeGroupRecord(encodeGroupMetadataKey('my-group'), encodeGroupMetadata(GROUP));
    expect(group).toEqual({ kind: 'group-metadata', groupId: 'my-group', group: GROUP });
  });

  it('without a value are tombstones', () => {
    expect(decodeGroupRecord(encodeOffsetCommitKey(KEY), null)).toMatchObject({ ...KEY, commit: null });
    expect(decodeGroupRecord(encodeGroupMetadataKey('g'), null)).toMatchObject({ groupId: 'g', group: null });
  });

  it('of newer kinds of groups are passed over', () => {
    for (const version of ['0003', '0008', '0010', '7fff']) {
      expect(decodeGroupRecord(hex(`${version} 0001 67`), hex('ff'))).toBeUndefined();
    }
  });

  it.each([
    ['no key', null],
    ['an empty key', hex('')],
    ['half a version', hex('00')],
    ['a negative version', hex('ffff 0001 67')],
    ['a key that ends early', hex('0001 0005 67')],
    ['a null group', hex('0002 ffff')],
    ['a group of negative length', hex('0002 fffe')],
  ])('with %s are corrupt', (_, key) => {
    expect(() => decodeGroupRecord(key, null)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
  });

  it('keep an expiry in a value of version 1, as brokers write it', () => {
    const expiring = { ...COMMIT, leaderEpoch: -1, expireTimestamp: 1_700_000_000_005 };
    const value = encodeOffsetCommit(expiring);
    expect(value[1]).toBe(1);
    expect(decodeOffsetCommit(value)).toEqual(expiring);
  });

  it('are read in flexible versions, with tagged fields of later ones', () => {
    // offset 42, epoch 12, metadata "m", time 5, then tags: 0 of 3 bytes, 9 of none.
    const value = hex('0004 000000000000002a 0000000c 02 6d 0000000000000005 02 00 03 aabbcc 09 00');
    expect(decodeOffsetCommit(value)).toEqual({
      offset: 42,
      leaderEpoch: 12,
      metadata: 'm',
      commitTimestamp: 5,
      expireTimestamp: -1,
    });
    const member = '02 6d 00 02 63 02 68 00000001 00000002 02 aa 01 00';
    const group = hex(`0004 02 74 00000003 00 02 6c 0000000000000007 02 ${member} 00`);
    expect(decodeGroupRecord(encodeGroupMetadataKey('g'), group)).toEqual({
      kind: 'group-metadata',
      groupId: 'g',
      group: {
        protocolType: 't',
        generation: 3,
        protocol: null,
        leader: 'l',
        currentStateTimestamp: 7,
        members: [
          {
            memberId: 'm',
            groupInstanceId: null,
            clientId: 'c',
            clientHost: 'h',
            rebalanceTimeoutMs: 1,
            sessionTimeoutMs: 2,
            subscription: new Uint8Array([0xaa]),
            assignment: new Uint8Array(0),
          },
        ],
      },
    });
  });

  it('are corrupt when a count says more than there are bytes', () => {
    expect(() => decodeGroupRecord(encodeGroupMetadataKey('g'), hex('0000 0000 00000000 ffff ffff 7fffffff'))).toThrow(
      /2147483647 members, with 0 bytes left/,
    );
  });

  it('cut anywhere are an error of the format, and never another one', () => {
    const values = [encodeOffsetCommit(COMMIT), encodeGroupMetadata(GROUP)];
    const keys = [encodeOffsetCommitKey(KEY), encodeGroupMetadataKey('my-group')];
    for (const [i, value] of values.entries()) {
      for (let length = 0; length < value.length; length++) {
        expect(() => decodeGroupRecord(keys[i]!, value.subarray(0, length))).toThrow(KlogError);
      }
      for (let length = 0; length < keys[i]!.length; length++) {
        expect(() => decodeGroupRecord(keys[i]!.subarray(0, length), null)).toThrow(KlogError);
      }
    }
  });

  it('hold no text that a length of 16 bits cannot tell', () => {
    expect(encodeOffsetCommit({ ...COMMIT, metadata: 'x'.repeat(32_767) }).length).toBeGreaterThan(32_767);
    expect(() => encodeOffsetCommit({ ...COMMIT, metadata: 'é'.repeat(16_384) })).toThrow(
      expect.objectContaining({ code: 'INVALID_RECORD' }),
    );
  });
});

describe('the consumer protocol', () => {
  const partitions = fc.array(fc.record({ topic: fc.string(), partitions: fc.array(fc.nat(1000), { maxLength: 4 }) }), {
    maxLength: 4,
  });
  const userData = fc.option(fc.uint8Array({ maxLength: 8 }));

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(
        fc.record({
          topics: fc.array(fc.string(), { maxLength: 3 }),
          userData,
          ownedPartitions: partitions,
          generationId: fc.integer({ min: -1, max: 0x7fffffff }),
          rackId: fc.option(fc.string()),
        }),
        fc.record({ assignedPartitions: partitions, userData }),
        (subscription, assignment) => {
          expect(decodeSubscription(encodeSubscription(subscription))).toEqual(subscription);
          expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment);
        },
      ),
    );
  });

  it('of version 0 has no owned partitions', () => {
    expect(decodeSubscription(hex('0000 00000001 0001 74 00000001 ee'))).toEqual({
      topics: ['t'],
      userData: new Uint8Array([0xee]),
      ownedPartitions: [],
      generationId: -1,
      rackId: null,
    });
  });

  it('of a later version is read as far as it is known', () => {
    const bytes = hex('0009 00000000 ffffffff 00000000 00000003 0001 72 beef');
    expect(decodeSubscription(bytes)).toMatchObject({ generationId: 3, rackId: 'r' });
  });

  it('of a member that has not been assigned anything has no bytes', () => {
    expect(decodeAssignment(new Uint8Array(0))).toEqual({ assignedPartitions: [], userData: null });
  });
});

describe('states of transactions', () => {
  const state: TransactionState = {
    producerId: 4000,
    producerEpoch: 3,
    transactionTimeoutMs: 60_000,
    status: 'Ongoing',
    partitions: [{ topic: 'orders', partitions: [0, 2] }],
    lastUpdateTimestamp: 5,
    startTimestamp: 4,
  };

  it.each(TRANSACTION_STATUSES)('come back as written: %s', (status) => {
    const written = { ...state, status, partitions: status === 'Empty' ? [] : state.partitions };
    expect(decodeTransactionState(encodeTransactionState(written))).toEqual(written);
  });

  it('of no known status are corrupt, keys of a later version passed over', () => {
    const bytes = encodeTransactionState(state);
    bytes[16] = 8;
    expect(() => decodeTransactionState(bytes)).toThrow(/has status 8/);
    expect(decodeTransactionStateKey(hex('0001 0001 74'))).toBeUndefined();
  });
});

describe('the partition of a group', () => {
  const { vectors } = readValues<{ vectors: { groupId: string; partitionOf50: number }[] }>('coordinator-partition');

  it.each(vectors)("is Kafka's for $groupId", ({ groupId, partitionOf50 }) => {
    expect(groupPartition(groupId, 50)).toBe(partitionOf50);
  });
});
