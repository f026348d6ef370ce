import type { Command } from 'commander';
import { type CommandHost, describeGroup as describeNoun } from '../command-host.js';
import { defineGroupCopy } from './group-copy.js';
import { defineGroupDelete } from './group-delete.js';
import { defineGroupDeleteOffsets } from './group-delete-offsets.js';
import { defineGroupDescribe } from './group-describe.js';
import { defineGroupEvict } from './group-evict.js';
import { defineGroupList } from './group-list.js';
import { defineGroupSeek } from './group-seek.js';

export function defineGroup(group: Command, host: CommandHost): void {
  describeNoun(group);
  defineGroupList(group, host);
  defineGroupDescribe(group, host);
  defineGroupSeek(group, host);
  defineGroupDelete(group, host);
  defineGroupDeleteOffsets(group, host);
  defineGroupCopy(group, host);
  defineGroupEvict(group, host);
}
