import type { Client } from '../../clients/client.js';
import type { ConsumerOptions } from '../../clients/consumer.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import { committedOffsets } from '../group-consume/committed-offsets.js';
import { counted, printJson } from '../listing.js';
import { type Loudness, notice } from '../notices.js';
import { confirm } from '../prompts.js';

export interface ReplayGroupOptions extends Loudness {
  readonly topic: string;
  readonly group: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json: boolean;
}

/** Of one partition: where the group was, and where its consumers are to go on. */
interface Move {
  readonly topic: string;
  readonly partition: number;
  /** Null: it had committed nothing. */
  readonly committed: number | null;
  readonly offset: number;
}

/**
 * Moves what a group has committed to where the range begins, so that its own consumers reprocess. NON_EMPTY_GROUP
 * while they run.
 */
export async function replayGroup(
  client: Client,
  range: ConsumerOptions,
  directory: string,
  options: ReplayGroupOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { group, topic, dryRun = false } = options;
  const admin = client.admin();
  const moves = (await movesOf(client, range, group)).filter(({ committed, offset }) => committed !== offset);
  // Whether it may be done is known before anybody is asked.
  if (moves.length > 0) await admin.alterGroupOffsets(group, moves, { validateOnly: true });
  const plan = `move group '${group}' ${moves.map(describe).join(', ')}`;
  if (!dryRun && moves.length > 0) {
    await confirm(`${plan} in ${directory}`, options, context);
    // What was shown is done, or nothing.
    const offsets = moves.map(({ committed, ...place }) => ({ ...place, replaces: committed ?? -1 }));
    await admin.alterGroupOffsets(group, offsets);
  }
  if (options.json) printJson(context, { topic, group, moves, moved: !dryRun && moves.length > 0 });
  else if (moves.length === 0) notice(options, context, `group '${group}' is there already`);
  else notice(options, context, `${dryRun ? 'would move' : 'moved'}${plan.slice('move'.length)}`);
  return 0;
}

async function movesOf(client: Client, range: ConsumerOptions, group: string): Promise<Move[]> {
  const consumer = client.consumer(range);
  try {
    const places = await consumer.assignment();
    const committed = await committedOffsets(client, group, places);
    const offsets = await Promise.all(places.map((place) => consumer.position(place)));
    return places.map((place, i) => ({ ...place, committed: committed[i] ?? null, offset: offsets[i] ?? 0 }));
  } finally {
    await consumer.close();
  }
}

function describe({ topic, partition, committed, offset }: Move): string {
  const to = `${topic}:${partition} to ${offset}`;
  if (committed === null) return to;
  const distance = Math.abs(committed - offset);
  return `${to} (from ${committed}: ${counted(distance, 'record')} ${offset < committed ? 'again' : 'left out'})`;
}
