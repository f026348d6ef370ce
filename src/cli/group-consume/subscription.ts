import type { Client } from '../../clients/client.js';
import type { GroupConsumerOptions } from '../../clients/group-consumer.js';
import type { CliContext } from '../cli-context.js';
import { type SelectionOptions, startOf } from '../consume/record-selection.js';
import { selectTopics } from '../topic-selection.js';
import { parseTopicPattern, topicRegExp } from '../values/parse-topic-pattern.js';

export type Subscription = Pick<GroupConsumerOptions, 'topics' | 'patterns' | 'from'>;

/** What a member of a group wants to read. Undefined: no topic matches, and none will be waited for. */
export async function subscriptionOf(
  client: Client,
  options: SelectionOptions,
  follow: boolean,
  context: CliContext,
): Promise<Subscription | undefined> {
  const { topics, regex } = options;
  const from = startOf(options, context);
  const start = from === undefined ? {} : { from };
  if (regex !== true) return { topics, ...start };
  if (!follow && (await selectTopics(client.admin(), { topics, regex: true })).length === 0) return undefined;
  return { patterns: topics.map(topicRegExp), ...start };
}

/** Whether a topic of this name is what it reads, or would be as soon as it is made. */
export function isSubscribed({ topics, regex }: SelectionOptions, topic: string): boolean {
  return regex === true ? topics.some((text) => parseTopicPattern(text).test(topic)) : topics.includes(topic);
}
