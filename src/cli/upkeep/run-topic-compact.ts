import type { CompactedPartition } from '../../clients/admin.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { suggestTopic, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { formatBytes } from '../produce/produce-tally.js';
import { Progress } from '../progress.js';
import { checkTopics, topicNames } from '../topic-selection.js';

export interface TopicCompactOptions extends GlobalOptions {
  readonly topics: readonly string[];
  readonly regex?: boolean;
  readonly partitions?: readonly number[];
  readonly dryRun?: boolean;
}

export async function runTopicCompact(options: TopicCompactOptions, context: CliContext): Promise<ExitCode> {
  const { partitions } = options;
  checkTopics(options);
  return withClient<ExitCode>(options, context, { topics: options.topics }, async (client, { directory }) => {
    const admin = client.admin();
    const results: unknown[] = [];
    const compact = async (topic: string) => {
      const description = await admin.describeTopic(topic);
      if (options.dryRun === true) {
        const policy = description.configs.find(({ name }) => name === 'cleanup.policy')?.value ?? '';
        if (!policy.split(',').includes('compact')) throw notCompacted(topic, policy);
        const chosen = description.partitionDetails.filter(({ partition }) => partitions?.includes(partition) ?? true);
        const size = chosen.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0);
        results.push(...chosen.map(({ partition, sizeInBytes }) => ({ topic, partition, sizeBefore: sizeInBytes })));
        const what = `topic '${topic}' (${counted(chosen.length, 'partition')}, ${formatBytes(size)})`;
        notice(options, context, `would compact ${what} in ${directory}`);
        return;
      }
      const progress = new Progress(options, context, () => `compacting ${topic}`);
      try {
        // Asked for now, it waits for no ratio.
        const how = { force: true, ...(partitions === undefined ? {} : { partitions }) };
        const compacted = await admin.compactTopic(topic, how);
        results.push(...compacted);
        for (const partition of compacted) notice(options, context, `${describe(partition)} in ${directory}`);
      } finally {
        progress.stop();
      }
    };
    const names = await topicNames(admin, options);
    const code = await forEachOperand(names, options, context, compact, (error) => suggestTopic(error, client));
    if (options.json) printJson(context, results);
    return code;
  });
}

function describe(one: CompactedPartition): string {
  const place = `${one.topic}:${one.partition}`;
  if (one.skipped !== undefined) return `${place} was not compacted: ${REASONS[one.skipped]}`;
  const records = `${one.recordsBefore} to ${counted(one.recordsAfter, 'record')}`;
  return `compacted ${place} from ${records}, ${formatBytes(one.sizeBefore)} to ${formatBytes(one.sizeAfter)}`;
}

const REASONS = {
  'nothing to do': 'there is nothing to do',
  'below the dirty ratio': 'too little of it is new',
  clock: 'the clock seems to have jumped',
} as const;

function notCompacted(topic: string, policy: string): KlogError {
  return new KlogError('INVALID_CONFIG', `topic '${topic}' is not compacted: its cleanup.policy is ${policy}`, {
    topic,
    hint: `\`klog topic alter ${topic} --append cleanup.policy=compact\` changes that`,
  });
}
