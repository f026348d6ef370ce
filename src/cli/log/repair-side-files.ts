/**
 * The small files of a partition: one that is damaged is moved aside, and made anew where the log, or klog, knows what
 * it said.
 */
import { basename, dirname, join } from 'node:path';
import { LEADER_EPOCH_CHECKPOINT, type LeaderEpoch, writeLeaderEpochs } from '../../storage/leader-epoch-checkpoint.js';
import type { FileContext } from '../../storage/log-context.js';
import { parseSegmentFileName, segmentFileName } from '../../storage/log-files.js';
import { listSegments } from '../../storage/log-segments.js';
import { PARTITION_METADATA, writePartitionMetadata } from '../../storage/partition-metadata.js';
import { TOPICS_DIRECTORY } from '../../store/layout.js';
import { readTopicFile } from '../../store/topic-file.js';
import type { PartitionCheck } from './check-report.js';
import { visitPieces } from './repair-segment.js';

/** Names of the damaged ones. */
export function damagedSideFiles(check: PartitionCheck): string[] {
  const names = check.problems.filter(({ severity }) => severity === 'damage').map(({ file }) => basename(file));
  const isSideFile = (name: string) =>
    name === LEADER_EPOCH_CHECKPOINT ||
    name === PARTITION_METADATA ||
    parseSegmentFileName(name)?.suffix === '.snapshot';
  return [...new Set(names.filter(isSideFile))];
}

/** Nobody else works on the partition. */
export async function repairSideFiles(context: FileContext, names: readonly string[]): Promise<void> {
  const { fs, directory, topic } = context;
  for (const name of names) {
    const path = join(directory, name);
    const aside = await freeName(context, `${path}.damaged-0`);
    await fs.rename(path, aside);
    if (name === LEADER_EPOCH_CHECKPOINT) await writeLeaderEpochs(fs, directory, await epochsOfLog(context));
    if (name === PARTITION_METADATA) {
      const known = await readTopicFile(fs, join(dirname(dirname(directory)), TOPICS_DIRECTORY), topic).catch(
        () => undefined,
      );
      if (known !== undefined) await writePartitionMetadata(fs, directory, known.topicId);
    }
  }
  if (names.length > 0) await fs.syncDirectory(directory);
}

async function freeName({ fs }: FileContext, path: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const name = attempt === 1 ? path : `${path}-${attempt}`;
    if ((await fs.stat(name)) === undefined) return name;
  }
}

/** As the batches say. */
async function epochsOfLog({ fs, directory }: FileContext): Promise<LeaderEpoch[]> {
  const epochs: LeaderEpoch[] = [];
  let minOffset = 0;
  for (const baseOffset of await listSegments(fs, directory)) {
    const log = await fs.open(join(directory, segmentFileName(baseOffset, '.log')), 'read');
    try {
      const range = { baseOffset, minOffset: Math.max(minOffset, baseOffset), maxOffset: undefined };
      minOffset = await visitPieces(log, range, (await log.stat()).size, {
        good: async ({ fields: { partitionLeaderEpoch: epoch, baseOffset: startOffset } }) => {
          if (epoch === null || startOffset === null || epoch <= (epochs.at(-1)?.epoch ?? -1)) return;
          epochs.push({ epoch, startOffset });
        },
      });
    } finally {
      await log.close();
    }
  }
  return epochs;
}
