/**
 * Members are killed, one after the other, each at another moment of its neighbours' looks at it. A record is there for
 * each partition of the killed one at once; what counts is the time from just before the signal until one of every such
 * partition has been handed out by another member, whose process takes the time.
 */
import { type MemberEvent, monotonicUs } from '../../test/group-history/member-process.js';
import { onStage, type Stage, sleep, TOPIC, until } from './stage.js';

const PROCESSES = 4;
const PARTITIONS = 12;
/** Longer than the pause between two looks, so that kills come at any time in it. */
const LONGEST_PAUSE_MS = 200;

/** Milliseconds, one for each kill. */
export async function takeovers(library: string, kills: number): Promise<number[]> {
  return await onStage(library, PARTITIONS, async (stage) => {
    for (let i = 0; i < PROCESSES; i++) stage.start({ name: `p${i}`, autoCommitIntervalMs: 500 });
    await balanced(stage, PROCESSES);
    const producer = stage.client.producer({ lingerMs: 0 });
    // What has never run is slow.
    await handleEverywhere(stage, (place) => send(producer, place));
    const took: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      await sleep(Math.random() * LONGEST_PAUSE_MS);
      took.push(await takeover(stage, kill, (place) => send(producer, place)));
      stage.start({ name: `p${PROCESSES + kill}`, autoCommitIntervalMs: 500 });
      await balanced(stage, PROCESSES);
    }
    return took;
  });
}

async function takeover(stage: Stage, kill: number, sendTo: (place: string) => Promise<unknown>): Promise<number> {
  const [victim] = stage.processes.splice(kill % PROCESSES, 1);
  const lost = stage.ownership.of(victim!.name);
  const handled = new Map<string, number>();
  stage.onEvent = ({ what, at, member, words }: MemberEvent) => {
    const place = words[0]!;
    if (what !== 'begin' || !lost.includes(place) || member.startsWith(`${victim!.name}.`)) return;
    if (!handled.has(place)) handled.set(place, at);
  };
  const from = monotonicUs();
  victim!.signal('SIGKILL');
  await Promise.all(lost.map(sendTo));
  await until(() => handled.size === lost.length);
  stage.onEvent = () => {};
  await victim!.exited;
  return (Math.max(...handled.values()) - from) / 1000;
}

async function handleEverywhere(stage: Stage, sendTo: (place: string) => Promise<unknown>): Promise<void> {
  let handled = 0;
  stage.onEvent = ({ what }) => {
    if (what === 'end') handled++;
  };
  for (let round = 1; round <= 20; round++) {
    for (const place of stage.ownership.owners.keys()) await sendTo(place);
    await until(() => handled === round * PARTITIONS);
  }
}

async function balanced({ ownership }: Stage, processes: number): Promise<void> {
  await until(() => {
    const counts = new Map<string, number>();
    for (const { member } of ownership.owners.values()) counts.set(member, (counts.get(member) ?? 0) + 1);
    return counts.size === processes && [...counts.values()].every((count) => count === PARTITIONS / processes);
  });
}

function send(producer: ReturnType<Stage['client']['producer']>, place: string): Promise<unknown> {
  const partition = Number(place.slice(TOPIC.length + 1));
  return producer.send({ topic: TOPIC, partition, key: null, value: Buffer.from('order') });
}
