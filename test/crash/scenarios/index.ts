/** Every scenario. A new one needs a line here and nothing else. */
import {
  applyCommand,
  cloneCommand,
  compactCommand,
  copyCommand,
  createCommand,
  eraseCommand,
  importCommand,
  produceCommand,
  topicCommands,
  trimCommand,
} from './commands.js';
import { diskFullRounds } from './disk-full.js';
import { endless } from './endless.js';
import { commits } from './groups.js';
import type { Scenario } from './scenario.js';
import { groupCommit, readerBeside } from './together.js';
import { copying, recovery, topicsComeAndGo } from './topics.js';
import {
  clockJumps,
  compaction,
  compactionBeside,
  erasing,
  hotCopy,
  importing,
  recreateBeside,
  retention,
  trimBeside,
  trimming,
} from './upkeep.js';
import {
  abruptEnd,
  batches,
  compressed,
  indexEntries,
  logAppendTime,
  mixedAcks,
  oneByOne,
  pipelined,
  rolling,
  severalPartitions,
  writtenLast,
} from './writing.js';

export const SCENARIOS: readonly Scenario[] = [
  oneByOne,
  batches,
  pipelined,
  rolling,
  indexEntries,
  severalPartitions,
  compressed,
  logAppendTime,
  mixedAcks,
  writtenLast,
  abruptEnd,
  groupCommit,
  readerBeside,
  topicsComeAndGo,
  copying,
  trimming,
  retention,
  compaction,
  erasing,
  importing,
  compactionBeside,
  trimBeside,
  recreateBeside,
  hotCopy,
  clockJumps,
  commits,
  recovery('roll'),
  recovery('group-commit'),
  recovery('topics'),
  recovery('trim'),
  recovery('compaction'),
  recovery('erase'),
  recovery('compaction-beside'),
  recovery('commits'),
  createCommand,
  produceCommand,
  topicCommands,
  copyCommand,
  trimCommand,
  compactCommand,
  eraseCommand,
  cloneCommand,
  importCommand,
  applyCommand,
];

/** Run by a part of their own. */
export const OTHERS: readonly Scenario[] = [endless, diskFullRounds];
