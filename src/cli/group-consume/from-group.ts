import type { Client } from '../../clients/client.js';
import type { ConsumerOptions, PartitionRange, TopicSelection } from '../../clients/consumer.js';
import type { CliContext } from '../cli-context.js';
import { type Loudness, notice } from '../notices.js';
import { wholeTopics } from '../wait/awaited-records.js';
import { committedOffsets } from './committed-offsets.js';

/**
 * The same topics and partitions, each from where the group has committed. Where it has not, or the log does not go
 * back so far any more, what was selected counts.
 */
export async function fromGroup(
  client: Client,
  groupId: string,
  selected: Pick<ConsumerOptions, 'topics' | 'from' | 'to'>,
  loudness: Loudness,
  context: CliContext,
): Promise<typeof selected> {
  const topics: TopicSelection[] = [];
  for (const selection of selected.topics) {
    const { topic, partitions } = typeof selection === 'string' ? { topic: selection } : selection;
    const { partitionDetails } = await client.admin().describeTopic(topic);
    const ranges = (partitions ?? partitionDetails.map(({ partition }) => partition)).map(
      (one): PartitionRange => (typeof one === 'number' ? { partition: one } : one),
    );
    const places = ranges.map(({ partition }) => ({ topic, partition }));
    const committed = await committedOffsets(client, groupId, places);
    const placed = ranges.map((range, i): PartitionRange => {
      const marks = partitionDetails.find(({ partition }) => partition === range.partition);
      const from = committed[i];
      if (from === undefined || marks === undefined) return range;
      if (from >= marks.logStartOffset && from <= marks.highWatermark) return { ...range, from };
      const where = `${topic}:${range.partition}`;
      notice(loudness, context, `warning: ${where}: group '${groupId}' has committed ${from}, which is out of range`);
      return range;
    });
    topics.push({ topic, partitions: placed });
  }
  return { ...selected, topics: [...topics, ...wholeTopics(selected.topics)] };
}
