/** What stands in the coordinator's topics: anybody who can write the directory can write it. */
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/format/coordinator/consumer-protocol.js';
import { encodeGroupMetadata, encodeGroupMetadataKey } from '../../../src/format/coordinator/group-metadata.js';
import { decodeGroupRecord } from '../../../src/format/coordinator/group-record.js';
import { encodeOffsetCommit, encodeOffsetCommitKey } from '../../../src/format/coordinator/offset-commit.js';
import {
  decodeTransactionState,
  decodeTransactionStateKey,
  encodeTransactionState,
  encodeTransactionStateKey,
} from '../../../src/format/coordinator/transaction-state.js';
import { textOfBytes } from '../../../src/groups/bytes-as-text.js';
import { GroupTable } from '../../../src/groups/group-table.js';
import { expectKlogError } from '../expect-klog-error.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateBytes } from '../mutate-bytes.js';

const PARTITIONS = [
  { topic: 'orders', partitions: [0, 1, 2] },
  { topic: 'é', partitions: [] },
];
const SUBSCRIPTION = encodeSubscription({
  topics: ['orders', 'é'],
  userData: new Uint8Array(9),
  ownedPartitions: PARTITIONS,
  generationId: 7,
  rackId: 'r',
});
const ASSIGNMENT = encodeAssignment({ assignedPartitions: PARTITIONS, userData: null });
const COMMIT = { offset: 42, leaderEpoch: 3, metadata: 'm', commitTimestamp: 5, expireTimestamp: -1 };
const MEMBER = {
  memberId: 'm',
  groupInstanceId: null,
  clientId: 'c',
  clientHost: 'h',
  rebalanceTimeoutMs: 1,
  sessionTimeoutMs: 2,
  subscription: SUBSCRIPTION,
  assignment: ASSIGNMENT,
};
const SEEDS = [
  encodeOffsetCommitKey({ groupId: 'g', topic: 'orders', partition: 1 }),
  encodeOffsetCommit(COMMIT),
  encodeOffsetCommit({ ...COMMIT, expireTimestamp: 9 }),
  encodeGroupMetadataKey('g'),
  encodeGroupMetadata({
    protocolType: 'consumer',
    generation: 1,
    protocol: 'range',
    leader: 'm',
    currentStateTimestamp: 5,
    members: [MEMBER, MEMBER],
  }),
  SUBSCRIPTION,
  ASSIGNMENT,
  encodeTransactionStateKey('t'),
  encodeTransactionState({
    producerId: 4,
    producerEpoch: 0,
    transactionTimeoutMs: 60_000,
    status: 'Ongoing',
    partitions: PARTITIONS,
    lastUpdateTimestamp: 5,
    startTimestamp: 5,
  }),
];

/** As a process that opens the log does. */
function addUp(key: Uint8Array, value: Uint8Array): void {
  const table = new GroupTable();
  table.set({ key: textOfBytes(key), value: textOfBytes(value) });
  for (const groupId of table.groupIds()) {
    table.state(groupId);
    table.commitsOf(groupId);
    table.group(groupId).committed({ topic: 'orders', partition: 0 });
  }
}

export function groupRecords(): FuzzTarget {
  return {
    name: 'group records',
    weight: 80,
    run(random) {
      const bytes = mutateBytes(Buffer.from(random.pick(SEEDS)), random);
      // Flexible versions, which klog reads and does not write.
      if (random.chance(0.3) && bytes.length >= 2) bytes[1] = random.pick([1, 4, 5]);
      const key = random.chance(0.5) ? encodeGroupMetadataKey('g') : SEEDS[0]!;
      expectKlogError(() => decodeGroupRecord(bytes, bytes));
      expectKlogError(() => decodeGroupRecord(key, bytes));
      expectKlogError(() => addUp(bytes, bytes));
      expectKlogError(() => addUp(key, bytes));
      expectKlogError(() => decodeSubscription(bytes));
      expectKlogError(() => decodeAssignment(bytes));
      expectKlogError(() => decodeTransactionStateKey(bytes));
      expectKlogError(() => decodeTransactionState(bytes));
    },
  };
}
