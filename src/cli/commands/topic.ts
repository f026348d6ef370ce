import type { Command } from 'commander';
import { type CommandHost, explainErrors } from '../command-host.js';
import { addGlobalOptions } from '../global-options.js';
import { defineTopicCreate } from './topic-create.js';
import { defineTopicList } from './topic-list.js';

export function defineTopic(topic: Command, host: CommandHost): void {
  topic.enablePositionalOptions().helpCommand(false).usage('<command>');
  addGlobalOptions(topic);
  explainErrors(topic);
  defineTopicCreate(topic, host);
  defineTopicList(topic, host);
}
