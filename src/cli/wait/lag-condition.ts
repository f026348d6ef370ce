import type { Client, TopicPartition } from '../../clients/client.js';
import { groupPartition } from '../../format/coordinator/group-partition.js';
import { committedOffsets } from '../group-consume/committed-offsets.js';
import { counted } from '../listing.js';
import { topicComes } from './awaited-records.js';
import type { Condition, Wait } from './condition.js';

const OFFSETS_TOPIC = '__consumer_offsets';

/**
 * The group has at most so many records of the topic before it. Where it has committed nothing that is all there is.
 */
export class LagCondition implements Condition {
  readonly #groupId: string;
  readonly #most: number;
  /** Default: all. */
  readonly #partitions: readonly number[] | undefined;
  #lag = 0;

  constructor(groupId: string, most: number, partitions: readonly number[] | undefined) {
    this.#groupId = groupId;
    this.#most = most;
    this.#partitions = partitions;
  }

  /**
   * A commit makes a lag smaller: each is a reason to look again. So does what deletes records, and it grows with those
   * that come: a last look tells how it stands when time is up.
   */
  async holds(wait: Wait): Promise<boolean> {
    const { client, topic, signal } = wait;
    if (await this.#isLow(client, topic)) return true;
    return (await this.#becomesLow(wait)) || (!signal.aborted && (await this.#isLow(client, topic)));
  }

  async #becomesLow(wait: Wait): Promise<boolean> {
    const { client, topic, signal, deadline } = wait;
    if (deadline.leftMs === 0 || !(await topicComes(client, OFFSETS_TOPIC, wait))) return false;
    const { partitions } = await client.admin().describeTopic(OFFSETS_TOPIC);
    const partition = groupPartition(this.#groupId, partitions);
    const commits = client.consumer({
      topics: [{ topic: OFFSETS_TOPIC, partitions: [partition] }],
      from: 'end',
      follow: true,
      isolationLevel: 'read_uncommitted',
      signal: AbortSignal.any([signal, deadline.signal]),
    });
    try {
      // From here on none is missed.
      await commits.assignment();
      if (await this.#isLow(client, topic)) return true;
      for await (const _ of commits.batches()) if (await this.#isLow(client, topic)) return true;
    } finally {
      await commits.close();
    }
    return false;
  }

  missing(): string {
    return `group '${this.#groupId}' is ${counted(this.#lag, 'record')} behind`;
  }

  found(): Record<string, unknown> {
    return { group: this.#groupId, lag: this.#lag };
  }

  async #isLow(client: Client, topic: string): Promise<boolean> {
    const partitions = this.#partitions === undefined ? undefined : [...this.#partitions];
    const admin = client.admin();
    const starts = await admin.listOffsets(topic, 'start', partitions);
    const places: TopicPartition[] = starts.map(({ partition }) => ({ topic, partition }));
    const committed = await committedOffsets(client, this.#groupId, places);
    // Asked for last: what is committed by then cannot lie beyond.
    const ends = await admin.listOffsets(topic, 'end', partitions);
    this.#lag = ends.reduce((sum, { offset: end }, i) => {
      const start = starts[i]?.offset ?? 0;
      return sum + Math.max(0, end - Math.max(start, committed[i] ?? start));
    }, 0);
    return this.#lag <= this.#most;
  }
}
