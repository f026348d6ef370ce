import type { Client } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { refuseInternal } from '../internal-topics.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { ownConfigs } from '../own-configs.js';
import { Progress } from '../progress.js';
import { sizeText } from '../size-text.js';

export interface TopicCloneOptions extends GlobalOptions {
  readonly source: string;
  readonly target: string;
  readonly withRecords?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

export async function runTopicClone(options: TopicCloneOptions, context: CliContext): Promise<ExitCode> {
  const { source, target, withRecords = false, dryRun = false } = options;
  validateTopicName(source);
  validateTopicName(target);
  refuseInternal(target, options.force, 'create');
  return withClient<ExitCode>(options, context, { topics: [source] }, async (client, { directory }) => {
    const admin = client.admin();
    const description = await admin.describeTopic(source);
    const { partitions } = description;
    const configs = ownConfigs(description);
    await admin.createTopic({ topic: target, partitions, configs }, { validateOnly: true });
    let bytes: number | undefined;
    if (!dryRun && withRecords) bytes = await cloneRecords(client, options, context);
    else if (!dryRun) await admin.createTopic({ topic: target, partitions, configs });
    if (context.signals.signal.aborted) return 0;
    if (options.json) {
      const size = bytes === undefined ? {} : { bytes };
      printJson(context, { source, target, partitions, configs, ...size, cloned: !dryRun });
    }
    const records = withRecords ? `, with its records${bytes === undefined ? '' : ` (${sizeText(bytes)})`}` : '';
    const verb = dryRun ? 'would create' : 'created';
    const like = `like '${source}' with ${counted(partitions, 'partition')}${records}`;
    notice(options, context, `${verb} topic '${target}' ${like} in ${directory}`);
    return 0;
  });
}

/** Answers the bytes of the batches. */
async function cloneRecords(client: Client, options: TopicCloneOptions, context: CliContext): Promise<number> {
  const { source, target } = options;
  const { signal } = context.signals;
  let bytes = 0;
  const progress = new Progress(options, context, () => sizeText(bytes));
  await using snapshot = await client.admin().snapshot({ topics: [source] });
  const [topic] = snapshot.topics;
  if (topic === undefined)
    throw new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `unknown topic '${source}'`, { topic: source });
  const { partitions, configs } = topic;
  const startOffsets = partitions.map(({ startOffset }) => startOffset);
  await using into = await client
    .admin()
    .importTopics([{ topic: target, partitions: partitions.length, configs, startOffsets }]);
  try {
    for (const place of partitions) {
      for await (const batches of snapshot.batches(place)) {
        if (signal.aborted) return bytes;
        bytes += batches.length;
        await into.append({ topic: target, partition: place.partition }, batches);
      }
    }
    await into.commit();
    return bytes;
  } finally {
    progress.stop();
  }
}
