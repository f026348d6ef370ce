import type { CompactedPartition } from '../../clients/admin.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { Progress } from '../progress.js';
import { sizeText } from '../size-text.js';
import { checkTopics, topicNames } from '../topic-selection.js';

export interface TopicCompactOptions extends GlobalOptions {
  readonly topics: readonly string[];
  readonly regex?: boolean;
  readonly partitions?: readonly number[];
  readonly dryRun?: boolean;
}

export async function runTopicCompact(options: TopicCompactOptions, context: CliContext): Promise<ExitCode> {
  const { partitions, dryRun = false } = options;
  checkTopics(options);
  return withClient<ExitCode>(options, context, { topics: options.topics }, async (client, { directory }) => {
    const admin = client.admin();
    const results: unknown[] = [];
    const compact = async (topic: string) => {
      const progress = new Progress(options, context, () => `${dryRun ? 'reading' : 'compacting'} ${topic}`);
      try {
        // Asked for now, it waits for no ratio.
        const how = { force: true, validateOnly: dryRun, ...(partitions === undefined ? {} : { partitions }) };
        const compacted = await admin.compactTopic(topic, how);
        results.push(...compacted.map((one) => ({ ...one, compacted: !dryRun && one.skipped === undefined })));
        for (const partition of compacted) notice(options, context, `${describe(partition, dryRun)} in ${directory}`);
      } finally {
        progress.stop();
      }
    };
    const names = await topicNames(admin, options);
    const code = await forEachOperand(names, options, context, compact, (error) => suggestName(error, client));
    if (options.json) printJson(context, results);
    return code;
  });
}

function describe(one: CompactedPartition, dryRun: boolean): string {
  const place = `${one.topic}:${one.partition}`;
  if (one.skipped !== undefined) {
    return `${place} ${dryRun ? 'would not be' : 'was not'} compacted: ${REASONS[one.skipped]}`;
  }
  const records = `${one.recordsBefore} to ${counted(one.recordsAfter, 'record')}`;
  const segments = `${one.segmentsBefore} to ${counted(one.segmentsAfter, 'segment')}`;
  const bytes = `${sizeText(one.sizeBefore)} to ${sizeText(one.sizeAfter)}`;
  return `${dryRun ? 'would compact' : 'compacted'} ${place} from ${records}, ${segments}, ${bytes}`;
}

const REASONS = {
  'nothing to do': 'there is nothing to do',
  'below the dirty ratio': 'too little of it is new',
  clock: 'the clock seems to have jumped',
} as const;
