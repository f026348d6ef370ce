/** Topics that come, grow or go while a consumer waits for them or follows them. */
import { KlogError } from '../../errors.js';
import type { ConsumerOptions } from '../consumer.js';
import type { Assignment } from './assignment.js';
import { planPartitions } from './consumer-plan.js';
import type { Follower } from './follower.js';
import type { LocalStore } from './local-store.js';

/** Between two looks for a topic that is waited for. */
const POLL_MS = 100;

/** Waits until all topics are there; false when they did not come in time. */
export async function waitForTopics(
  store: LocalStore,
  { topics }: Pick<ConsumerOptions, 'topics'>,
  follower: Follower,
  deadline: number,
): Promise<boolean> {
  for (const selection of topics) {
    const name = typeof selection === 'string' ? selection : selection.topic;
    while ((await store.topic(name)) === undefined) {
      if (!(await follower.sleep(POLL_MS, deadline))) return false;
    }
  }
  return true;
}

/**
 * Assigns the partitions that followed topics have got meanwhile, to be read from their beginning.
 * @throws KlogError UNKNOWN_TOPIC_OR_PARTITION for a topic that was deleted, perhaps made anew: its files alone would
 * just fall silent
 */
export async function assignAdded(
  store: LocalStore,
  options: ConsumerOptions,
  assignment: Assignment,
  maxBytes: number,
): Promise<void> {
  for (const [topic, topicId] of assignment.topicIds) {
    const found = await store.topic(topic);
    if (found?.topicId !== topicId) {
      throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} was deleted while it was read`, { topic });
    }
    if (!readsAllOf(options, topic)) continue;
    const read = assignment.partitionsOf(topic);
    const added = Array.from({ length: found.partitions }, (_, i) => i).filter((partition) => !read.has(partition));
    if (added.length === 0) continue;
    const fromStart: ConsumerOptions = { ...options, topics: [{ topic, partitions: added }], from: 'start' };
    for (const planned of await planPartitions(store, fromStart, true)) {
      // The consumer may have let go of its partitions while these were opened.
      if (assignment.isClosed) await planned.reader.close();
      else assignment.add(planned, maxBytes);
    }
  }
}

function readsAllOf({ topics }: ConsumerOptions, topic: string): boolean {
  return topics.some((selection) =>
    typeof selection === 'string'
      ? selection === topic
      : selection.topic === topic && selection.partitions === undefined,
  );
}
