import type { Command } from 'commander';
import { type CommandHost, describeGroup } from '../command-host.js';
import { defineConsume } from './consume.js';
import { defineProduce } from './produce.js';
import { defineTopicAlter } from './topic-alter.js';
import { defineTopicApply } from './topic-apply.js';
import { defineTopicClone } from './topic-clone.js';
import { defineTopicCompact } from './topic-compact.js';
import { defineTopicCreate } from './topic-create.js';
import { defineTopicDelete } from './topic-delete.js';
import { defineTopicDescribe } from './topic-describe.js';
import { defineTopicList } from './topic-list.js';
import { defineTopicOffsets } from './topic-offsets.js';
import { defineTopicTrim } from './topic-trim.js';

export function defineTopic(topic: Command, host: CommandHost): void {
  describeGroup(topic);
  defineTopicCreate(topic, host);
  defineTopicList(topic, host);
  defineTopicDescribe(topic, host);
  defineTopicAlter(topic, host);
  defineTopicDelete(topic, host);
  defineTopicOffsets(topic, host);
  defineTopicApply(topic, host);
  defineTopicClone(topic, host);
  defineTopicTrim(topic, host);
  defineTopicCompact(topic, host);
  // rpk's names, for fingers that know them.
  defineConsume(topic.command('consume', { hidden: true }), host);
  defineProduce(topic.command('produce', { hidden: true }), host);
}
