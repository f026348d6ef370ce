import type { Admin, DeletedRecords, RecordsToDelete } from '../../clients/admin.js';
import type { OffsetSpec } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { suggestName, withClient } from '../open-client.js';
import { forEachOperand } from '../operands.js';
import { confirm } from '../prompts.js';
import { sizeText } from '../size-text.js';
import { checkTopics } from '../topic-selection.js';
import { parseOffsetPoint } from '../values/parse-offset.js';
import { checkTimeZone, parseTime } from '../values/parse-time.js';
import { namedTopics } from './named-topics.js';

export interface TopicTrimOptions extends GlobalOptions {
  readonly topics: readonly string[];
  readonly regex?: boolean;
  /** As typed. One of the three. */
  readonly offset?: string;
  readonly before?: string;
  readonly keep?: number;
  readonly tz?: string;
  readonly partitions?: readonly number[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export async function runTopicTrim(options: TopicTrimOptions, context: CliContext): Promise<ExitCode> {
  const { dryRun = false } = options;
  const spec = trimPoint(options, context);
  checkTopics(options);
  return withClient<ExitCode>(options, context, { topics: options.topics }, async (client, { directory }) => {
    const admin = client.admin();
    const topics = await namedTopics(client, options);
    const plans = new Map<string, readonly RecordsToDelete[]>();
    const planned: DeletedRecords[] = [];
    // Everything is checked before anything is deleted.
    for (const topic of topics) {
      const records = await recordsToDelete(admin, topic, spec, options.partitions);
      plans.set(topic, records);
      planned.push(...(await admin.deleteRecords(topic, records, { validateOnly: true })));
    }
    const going = planned.filter(({ offsets }) => offsets > 0);
    if (going.length > 0 && !dryRun) {
      await confirm(`delete ${going.map(describe).join(', ')} in ${directory}`, options, context);
    }
    const results: DeletedRecords[] = [];
    const trim = async (topic: string) => {
      const deleted = dryRun
        ? planned.filter((one) => one.topic === topic)
        : await admin.deleteRecords(topic, plans.get(topic)!);
      results.push(...deleted);
      report(topic, deleted, options, context, directory);
    };
    const code = await forEachOperand(topics, options, context, trim, (error) => suggestName(error, client));
    if (options.json)
      printJson(
        context,
        results.map((one) => ({ ...one, trimmed: !dryRun })),
      );
    return code;
  });
}

function trimPoint(options: TopicTrimOptions, context: CliContext): OffsetSpec {
  const time = { now: context.clock.now(), timeZone: options.tz && checkTimeZone(options.tz) };
  if (options.keep !== undefined) return { fromEnd: options.keep };
  if (options.before !== undefined) {
    const { before } = options;
    return { timestamp: parseTime(before.startsWith('@') ? before.slice(1) : before, time) };
  }
  if (options.offset !== undefined) return parseOffsetPoint(options.offset, time);
  throw new KlogError('KLOG_USAGE', 'topic trim: up to where?', { hint: 'Give -o, --before or --keep' });
}

async function recordsToDelete(
  admin: Admin,
  topic: string,
  spec: OffsetSpec,
  partitions: readonly number[] | undefined,
): Promise<RecordsToDelete[]> {
  const ends = await admin.listOffsets(topic, 'end', partitions);
  const found = await admin.listOffsets(topic, spec, partitions);
  return found.map(({ partition, offset }, i) => {
    // No record is so late: all of them are older.
    return { partition, beforeOffset: offset < 0 ? ends[i]!.offset : offset };
  });
}

function describe({ topic, partition, lowWatermark, offsets }: DeletedRecords): string {
  return `offsets ${lowWatermark - offsets} to ${lowWatermark - 1} of ${topic}:${partition}`;
}

function report(
  topic: string,
  deleted: readonly DeletedRecords[],
  options: TopicTrimOptions,
  context: CliContext,
  directory: string,
): void {
  const { dryRun = false } = options;
  const gone = deleted.filter(({ offsets }) => offsets > 0);
  if (gone.length === 0) {
    notice(options, context, `nothing to delete in topic '${topic}' in ${directory}`);
    return;
  }
  const segments = gone.reduce((sum, one) => sum + one.segments, 0);
  const bytes = gone.reduce((sum, one) => sum + one.sizeInBytes, 0);
  const space = `${counted(segments, 'segment')}, ${sizeText(bytes)}`;
  const verb = dryRun ? 'would delete' : 'deleted';
  notice(options, context, `${verb} ${gone.map(describe).join(', ')} (${space}) in ${directory}`);
}
