import type { Command, Option } from 'commander';
import type { Admin, TopicListing } from '../clients/admin.js';
import { KlogError } from '../errors.js';
import { validateTopicName } from '../format/topic-name.js';
import { valueOption } from './command-host.js';
import { parsePartitionList } from './values/parse-partition.js';
import { parseTopicPattern } from './values/parse-topic-pattern.js';

export interface TopicSelectionOptions {
  /** Names, or with `regex` expressions. */
  readonly topics: readonly string[];
  /** `-r`: anchored to the whole name; internal topics are never matched. */
  readonly regex?: boolean;
  /** `-i`: internal topics, too, when all are listed. */
  readonly internal?: boolean;
}

export function addRegexOption(command: Command): void {
  command.option('-r, --regex', 'operands are regular expressions, anchored to the whole name');
}

export function addPartitionsOption(command: Command): Option {
  const option = valueOption('-p, --partitions <list>', 'only these partitions: 0,1,4-7', parsePartitionList);
  command.addOption(option);
  return option;
}

/**
 * The topics the operands mean: all, by name, without operands; every one that is named, or UNKNOWN_TOPIC_OR_PARTITION;
 * with `regex` those whose whole name matches one of them, perhaps none.
 */
export async function selectTopics(admin: Admin, options: TopicSelectionOptions): Promise<TopicListing[]> {
  const { topics, regex = false, internal = false } = options;
  const isNamed = topics.length > 0 && !regex;
  const listings = await admin.listTopics({ internal: isNamed || (internal && topics.length === 0) });
  listings.sort((a, b) => (a.topic < b.topic ? -1 : 1));
  if (topics.length === 0) return listings;
  if (regex) {
    const patterns = topics.map(parseTopicPattern);
    return listings.filter(({ topic }) => patterns.some((pattern) => pattern.test(topic)));
  }
  const byName = new Map(listings.map((listing) => [listing.topic, listing]));
  const named: TopicListing[] = [];
  for (const topic of new Set(topics)) named.push(byName.get(topic) ?? (await refuseUnknown(admin, topic)));
  return named;
}

/**
 * Before a log is looked for, so that a mistake is the same where there is none. INVALID_TOPIC_EXCEPTION, KLOG_USAGE.
 */
export function checkTopics({ topics, regex = false }: TopicSelectionOptions): void {
  for (const text of topics) {
    if (regex) parseTopicPattern(text);
    else validateTopicName(text);
  }
}

/** The names the operands mean, whether they exist or not. An expression that matches nothing: KLOG_NOT_FOUND. */
export async function topicNames(admin: Admin, options: TopicSelectionOptions): Promise<string[]> {
  if (options.regex !== true) return [...new Set(options.topics)];
  const matching = await selectTopics(admin, options);
  if (matching.length === 0) {
    throw new KlogError('KLOG_NOT_FOUND', `no topic matches ${options.topics.map((text) => `'${text}'`).join(' or ')}`);
  }
  return matching.map(({ topic }) => topic);
}

/**
 * Fails as a look at the topic does: INVALID_TOPIC_EXCEPTION, or UNKNOWN_TOPIC_OR_PARTITION with the place and the
 * nearest name.
 */
export async function refuseUnknown(admin: Admin, topic: string): Promise<never> {
  await admin.describeTopic(topic);
  // Made since the topics were listed.
  throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} was not there a moment ago`, { topic });
}
