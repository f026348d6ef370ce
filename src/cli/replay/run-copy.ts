import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';
import type { CliContext } from '../cli-context.js';
import { checkRange } from '../consume/check-range.js';
import { type IsolationOptions, isolationLevelOf } from '../consume/isolation-level.js';
import { type FilterOptions, filterFor } from '../consume/record-filter.js';
import { checkSelection, type SelectionOptions, selectRecords, timeContext } from '../consume/record-selection.js';
import { type DamageOptions, SkippedDamage } from '../consume/skipped-damage.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { refuseInternal } from '../internal-topics.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { parsePartitionOperand } from '../values/parse-partition.js';
import { runTransfer } from './run-transfer.js';
import { targetLike } from './target-topic.js';
import { batchFilter } from './transfer-options.js';

export interface CopyOptions
  extends GlobalOptions,
    FilterOptions,
    DamageOptions,
    IsolationOptions,
    Omit<SelectionOptions, 'topics' | 'regex'> {
  /** `T`, or `T:P`. */
  readonly source: string;
  readonly target: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

/** Copies what a topic holds now: keys, values, headers and timestamps stay. */
export async function runCopy(options: CopyOptions, context: CliContext): Promise<ExitCode> {
  const { target } = options;
  const { topic: source } = parsePartitionOperand(options.source, timeContext({}, context));
  checkSelection({ ...options, topics: [options.source] }, context);
  validateTopicName(target);
  refuseInternal(target, options.force, 'copy to');
  if (source === target) throw new KlogError('KLOG_USAGE', `'${source}' cannot be copied into itself`);
  const filter = batchFilter(await filterFor(options));
  const isolationLevel = await isolationLevelOf(options, context);
  const { signal } = context.signals;
  const dryRun = options.dryRun === true;
  return withClient<ExitCode>(options, context, { topics: [source] }, async (client) => {
    const admin = client.admin();
    const description = await admin.describeTopic(source);
    const selected = await selectRecords(client, { ...options, topics: [options.source] }, context);
    const damage = new SkippedDamage(options, context);
    const range = { ...selected, ...damage.consumerOptions, isolationLevel, signal };
    await checkRange(client, range);
    const to = await targetLike(admin, description, target, { dryRun });
    if (to.created)
      notice(options, context, `${dryRun ? 'would create' : 'created'} topic '${target}' like '${source}'`);
    if (!to.keepsPartitions) {
      notice(
        options,
        context,
        `'${target}' has ${counted(to.partitions, 'partition')}, '${source}' ${description.partitions}: keys choose the partitions again`,
      );
    }
    if (dryRun) {
      if (options.json) printJson(context, { source, target, partitions: to.partitions, exists: !to.created });
      return 0;
    }
    const producer = client.producer();
    const consumer = client.consumer(range);
    try {
      const writer = await producer.writer(target);
      const { keepsPartitions: keepPartitions } = to;
      const transferOptions = { keepPartitions, filter, signal };
      const records = await runTransfer('copied', consumer.batches(), writer, transferOptions, options, context);
      if (options.json) printJson(context, { source, target, records });
      else notice(options, context, `copied ${counted(records, 'record')} from '${source}' to '${target}'`);
      damage.report();
    } finally {
      await consumer.close();
      await producer.close();
    }
    return 0;
  });
}
