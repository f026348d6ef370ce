import type { ArchivedTopic } from '../../archive/archive-format.js';
import type { Admin, TopicDescription } from '../../clients/admin.js';
import type { ImportedTopic } from '../../clients/topic-import.js';
import { KlogError } from '../../errors.js';
import { counted } from '../listing.js';

export interface PlannedTopic {
  readonly archived: ArchivedTopic;
  readonly mode: NonNullable<ImportedTopic['mode']>;
}

/** How each topic comes: as a new one, into an empty one, or, if asked for, behind the records that are there. */
export async function planImport(
  admin: Admin,
  topics: readonly ArchivedTopic[],
  options: { readonly append?: boolean },
): Promise<PlannedTopic[]> {
  const existing = new Set((await admin.listTopics({ internal: true })).map(({ topic }) => topic));
  const plans: PlannedTopic[] = [];
  for (const archived of topics) {
    if (!existing.has(archived.topic)) {
      await admin.createTopic(asNewTopic(archived), { validateOnly: true });
      plans.push({ archived, mode: 'create' });
    } else {
      const description = await admin.describeTopic(archived.topic);
      plans.push({ archived, mode: modeFor(archived, description, options) });
    }
  }
  return plans;
}

function modeFor(archived: ArchivedTopic, there: TopicDescription, options: { readonly append?: boolean }) {
  const { topic } = archived;
  if (there.partitions < archived.partitions.length) {
    const message = `topic '${topic}' has ${counted(there.partitions, 'partition')}, the archive ${archived.partitions.length}`;
    throw new KlogError('INVALID_PARTITIONS', message, { topic, hint: 'Add partitions with `klog topic alter -p`' });
  }
  if (fits(archived, there)) return 'continue';
  if (options.append === true) return 'append';
  throw new KlogError('TOPIC_ALREADY_EXISTS', `topic '${topic}' has records already`, {
    topic,
    hint: '--append adds those of the archive behind them, with new offsets',
  });
}

/** It is empty, and has not yet come to the offsets of the archive. */
function fits({ partitions }: ArchivedTopic, { partitionDetails }: TopicDescription): boolean {
  return partitionDetails.every(({ partition, logStartOffset, logEndOffset }) => {
    const archived = partitions[partition];
    if (logStartOffset < logEndOffset) return false;
    return (
      archived === undefined || archived.startOffset === archived.endOffset || logEndOffset <= archived.startOffset
    );
  });
}

export function importedTopic({ archived, mode }: PlannedTopic): ImportedTopic {
  return { ...asNewTopic(archived), mode };
}

function asNewTopic({ topic, partitions, configs }: ArchivedTopic) {
  return {
    topic,
    partitions: partitions.length,
    configs,
    startOffsets: partitions.map(({ startOffset }) => startOffset),
  };
}
