/**
 * Assignors: who of a group reads which partitions. Pure, and with exactly Kafka's results, so that a group gives the
 * same answer here and on a cluster. Racks are not looked at: one directory lies in one place.
 */
import type { TopicPartitions } from '../../format/coordinator/consumer-protocol.js';

export interface GroupSubscription {
  readonly memberId: string;
  /** Of a static member; null otherwise. */
  readonly groupInstanceId: string | null;
  /** Topics that do not exist count for nothing. */
  readonly topics: readonly string[];
  /** What it has had so far; only the sticky ones look at it. */
  readonly ownedPartitions: readonly TopicPartitions[];
  /** In which generation it was given them; -1: unknown. Where two claim a partition the later generation has it. */
  readonly generationId: number;
}

/**
 * @param partitionCounts of every topic that exists; others may be in it
 * @returns for every member, in the order given, what it is to read: by topic, then number
 */
export type Assignor = (
  members: readonly GroupSubscription[],
  partitionCounts: ReadonlyMap<string, number>,
) => Map<string, TopicPartitions[]>;
