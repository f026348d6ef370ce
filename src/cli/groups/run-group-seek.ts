import type { Client } from '../../clients/client.js';
import type { NewGroupOffset } from '../../clients/group-admin.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { inputBytes } from '../input-bytes.js';
import { counted, printJson, printTable } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { confirm } from '../prompts.js';
import { checkTimeZone } from '../values/parse-time.js';
import { parseOffsetsCsv } from './offsets-csv.js';
import { checkStillThere, type PlannedMove, planSeek, type SeekRequest } from './seek-plan.js';
import { parseSeekTarget } from './seek-target.js';
import { checkPartitions, type PartitionSelection } from './select-partitions.js';

interface MoveOptions extends GlobalOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export interface GroupSeekOptions extends MoveOptions, PartitionSelection {
  readonly group: string;
  /** As typed. */
  readonly to?: string;
  readonly tz?: string;
}

export async function runGroupSeek(options: GroupSeekOptions, context: CliContext): Promise<ExitCode> {
  const { group, to, tz } = options;
  checkPartitions(options);
  if (to === undefined) {
    throw new KlogError('KLOG_USAGE', 'group seek: where to?', { hint: 'Give --to start, --to 42, --to -15m, …' });
  }
  const target = parseSeekTarget(to, { now: context.clock.now(), timeZone: tz && checkTimeZone(tz) });
  const fileOffsets = target.kind === 'file' ? await readOffsets(target.file, group, context) : undefined;
  if (target.kind === 'file' && fileOffsets === undefined) return 0;
  const request: SeekRequest = { ...options, target, ...(fileOffsets === undefined ? {} : { fileOffsets }) };
  return withClient<ExitCode>(options, context, { topics: options.topics }, (client, { directory }) =>
    moveGroup(client, directory, request, options, context),
  );
}

/** Shows what is to be moved, asks, moves it. */
async function moveGroup(
  client: Client,
  directory: string,
  request: SeekRequest,
  options: MoveOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { group } = request;
  const { dryRun = false, force = false } = options;
  const admin = client.admin();
  const moves = await planSeek(admin, request);
  for (const { topic, partition, clampedFrom, after } of moves) {
    if (clampedFrom === undefined) continue;
    notice(options, context, `warning: ${topic}:${partition} has no offset ${clampedFrom}: ${after} is the nearest`);
  }
  const moving = moves.filter(({ before, after }) => before !== after);
  const offsets = moving.map(({ topic, topicId, partition, before, after }): NewGroupOffset => {
    const offset = { topic, topicId, partition, offset: after };
    // Members that live commit all the while.
    return force ? offset : { ...offset, replaces: before };
  });
  // What would be refused is not asked about.
  await admin.alterGroupOffsets(group, offsets, { force, validateOnly: true });
  if (offsets.length > 0 && !dryRun) {
    await confirm(`move group '${group}' in ${directory}: ${describe(moving)}`, options, context);
    // What was shown is done, or nothing.
    await checkStillThere(admin, moving);
    await admin.alterGroupOffsets(group, offsets, { force });
  }
  const verb = offsets.length === 0 ? 'nothing to move of' : dryRun ? 'would move' : 'moved';
  const what = offsets.length === 0 ? '' : `: ${counted(offsets.length, 'partition')}`;
  if (options.json) {
    const rows = moves.map(({ topic, partition, before, after, lag }) => {
      return { topic, partition, before: before < 0 ? null : before, after, lag, moved: !dryRun && before !== after };
    });
    printJson(context, rows);
  } else {
    await printTable(context, COLUMNS, moves);
  }
  // What is said to be done is shown before.
  await context.stdout.flush();
  notice(options, context, `${verb} group '${group}' in ${directory}${what}`);
  return 0;
}

const SHOWN = 10;

function describe(moves: readonly PlannedMove[]): string {
  const shown = moves.slice(0, SHOWN).map(({ topic, partition, before, after }) => {
    return `${topic}:${partition} ${before < 0 ? 'to' : `from ${before} to`} ${after}`;
  });
  const others = moves.length - shown.length;
  return `${shown.join(', ')}${others > 0 ? ` and ${counted(others, 'more partition')}` : ''}`;
}

/** Undefined: a signal came first. */
async function readOffsets(file: string, group: string, context: CliContext): Promise<NewGroupOffset[] | undefined> {
  const read = await inputBytes(file, context);
  return read && parseOffsetsCsv(read.bytes.toString('utf8'), group, file);
}

const COLUMNS = [
  { heading: 'TOPIC', value: (move: PlannedMove) => move.topic },
  { heading: 'PARTITION', value: (move: PlannedMove) => move.partition, align: 'right' },
  { heading: 'BEFORE', value: (move: PlannedMove) => (move.before < 0 ? '-' : move.before), align: 'right' },
  { heading: 'AFTER', value: (move: PlannedMove) => move.after, align: 'right' },
  { heading: 'LAG', value: (move: PlannedMove) => move.lag, align: 'right' },
] as const;
