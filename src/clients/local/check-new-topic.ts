import { validateTopicName } from '../../format/topic-name.js';
import { checkPartitions } from '../../store/partition-count.js';
import { normalizeConfigs } from '../../store/topic-config.js';
import type { NewTopic } from '../admin.js';

/**
 * What can be known of a topic before there is a directory to make it in.
 * @throws KlogError INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG
 */
export function checkNewTopic({ topic, partitions = 1, configs = {} }: NewTopic): void {
  validateTopicName(topic);
  checkPartitions(topic, partitions);
  normalizeConfigs(configs);
}
