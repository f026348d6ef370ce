import { type Command, Option } from 'commander';
import { KlogError } from '../../errors.js';
import { commandPath, repeatable } from '../command-host.js';
import { exclude } from '../option-errors.js';

/** `-t`, `--topic`: kcat's and Kafka's own way to say what stands here as an operand. Goes with {@link namedTopics}. */
export function addTopicAlias(command: Command): void {
  const option = new Option('-t, --topic <topic>').hideHelp();
  option.argParser(repeatable((text: string) => text));
  option.attributeName = () => 'topicOption';
  command.addOption(option).usage('[options] <topic...>');
}

export interface TopicAlias {
  readonly topicOption?: readonly string[];
}

/** The topics a command line names, in either way. KLOG_USAGE where it names none, or mixes the two. */
export function namedTopics(command: Command, operands: readonly string[], options: TopicAlias): readonly string[] {
  const { topicOption = [] } = options;
  if (operands.length > 0 && topicOption.length > 0) exclude('the topic', '--topic');
  const topics = operands.length > 0 ? operands : topicOption;
  if (topics.length > 0) return topics;
  const path = commandPath(command);
  throw new KlogError('KLOG_USAGE', `${path}: no topic is named`, { hint: `See 'klog ${path} --help'` });
}
