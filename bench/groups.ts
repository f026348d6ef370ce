/**
 * `npm run bench-groups -- [--rounds N]`: what groups of real processes take. Takeover after kill -9, 200 members in 8 processes
 * on 200 partitions, a group over 1,000 partitions, idle members, syncs of commits. On a quiet machine; prints JSON lines.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openClient } from '../src/clients/local/open-client.js';
import { type MemberEvent, MemberProcess, monotonicUs } from '../test/group-history/member-process.js';
import { buildLibrary } from '../test/support/build-library.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, only: { type: 'string' } },
});
const library = await buildLibrary(mkdtempSync(join(tmpdir(), 'klog-group-bench-')), ['index']);
const TICKS_PER_SECOND = 100;

interface Stage {
  readonly directory: string;
  readonly events: MemberEvent[];
  readonly processes: MemberProcess[];
  start(plan: { readonly name: string; readonly members?: number; readonly quiet?: boolean }): MemberProcess;
}

async function onStage<T>(partitions: number, records: number, play: (stage: Stage) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'klog-group-bench-'));
  const directory = join(root, '.klog');
  const client = await openClient({ directory, create: true });
  await client.admin().createTopic({ topic: 'orders', partitions });
  await using producer = client.producer();
  await Promise.all(
    Array.from({ length: records }, (_, i) =>
      producer.send({ topic: 'orders', partition: i % partitions, key: null, value: Buffer.from(`${i}`) }),
    ),
  );
  const events: MemberEvent[] = [];
  const processes: MemberProcess[] = [];
  const start: Stage['start'] = (plan) => {
    const whole = { library, directory, group: 'g', topics: ['orders'], ...plan };
    const one = new MemberProcess(whole, (event) => events.push(event));
    processes.push(one);
    return one;
  };
  try {
    return await play({ directory, events, processes, start });
  } finally {
    for (const one of processes) one.signal('SIGTERM');
    await Promise.all(processes.map((one) => one.exited));
    await client.close();
    rmSync(root, { recursive: true, force: true });
  }
}

async function until(condition: () => boolean, mostMs = 60_000): Promise<void> {
  const deadline = performance.now() + mostMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it takes too long');
    await sleep(5);
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const count = (events: readonly MemberEvent[], what: string) => events.filter((event) => event.what === what).length;

/** Who owns each partition, and since when, by what the members say. */
function owners(events: readonly MemberEvent[]): Map<string, MemberEvent> {
  const found = new Map<string, MemberEvent>();
  for (const event of events.toSorted((a, b) => a.at - b.at)) {
    const places = (event.words[0] ?? '').split(',');
    if (event.what === 'assigned') for (const place of places) found.set(place.split('@')[0]!, event);
    if (event.what !== 'revoked') continue;
    for (const place of places) if (found.get(place)?.member === event.member) found.delete(place);
  }
  return found;
}

function print(what: string, result: object): void {
  const load = loadavg()[0]!.toFixed(1);
  process.stdout.write(`${JSON.stringify({ what, ...result, load, cores: cpus().length })}\n`);
}

const quantile = (sorted: readonly number[], q: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;

/** Three members with two partitions each; one is killed, until both of its partitions begin elsewhere. */
async function takeover(rounds: number): Promise<void> {
  await onStage(6, 0, async ({ events, processes, start }) => {
    for (const name of ['a', 'b', 'c']) start({ name });
    await until(() => count(events, 'joined') === 3 && owners(events).size === 6);
    await sleep(500);
    const took: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const victim = processes.find((one) => !one.hasExited)!;
      const lost = [...owners(events)]
        .filter(([, { member }]) => member.startsWith(`${victim.name}.`))
        .map(([place]) => place);
      const from = monotonicUs();
      victim.signal('SIGKILL');
      const taken = () => [...owners(events)].filter(([place, { at }]) => lost.includes(place) && at > from);
      await until(() => taken().length === lost.length);
      took.push((Math.max(...taken().map(([, { at }]) => at)) - from) / 1000);
      const joined = count(events, 'joined');
      start({ name: `n${round}` });
      await until(() => count(events, 'joined') > joined);
      await sleep(300);
    }
    took.sort((a, b) => a - b);
    const ms = {
      median: quantile(took, 0.5),
      p90: quantile(took, 0.9),
      p99: quantile(took, 0.99),
      largest: took.at(-1),
    };
    print('takeover after kill -9, ms', { rounds, ...ms, all: took.map((one) => Number(one.toFixed(1))) });
  });
}

async function manyMembers(): Promise<void> {
  await onStage(200, 0, async ({ events, start }) => {
    for (let i = 0; i < 8; i++) start({ name: `p${i}`, members: 25, quiet: true });
    const isBalanced = () => new Set([...owners(events).values()].map(({ member }) => member)).size === 200;
    await until(() => count(events, 'joined') === 200 && owners(events).size === 200 && isBalanced());
    const at = (what: string) => Math.max(...events.filter((event) => event.what === what).map((event) => event.at));
    print('200 members in 8 processes, ms from the last join until balanced', {
      ms: (at('assigned') - at('joined')) / 1000,
    });
  });
}

async function manyPartitions(): Promise<void> {
  await onStage(1000, 0, async ({ events, start }) => {
    start({ name: 'p', quiet: true });
    await until(() => owners(events).size === 1000);
    const at = (what: string) => events.find((event) => event.what === what)!.at;
    print('a group over 1,000 partitions, ms from the join until all are read', {
      ms: (at('assigned') - at('joined')) / 1000,
    });
  });
}

async function idle(): Promise<void> {
  await onStage(8, 0, async ({ events, processes, start }) => {
    for (const name of ['a', 'b', 'c', 'd']) start({ name });
    await until(() => count(events, 'joined') === 4);
    await sleep(3000);
    const ticks = () => processes.map((one) => ticksOf(one.child.pid!));
    const before = ticks();
    await sleep(20_000);
    const percent = ticks().map((one, i) => ((one - before[i]!) / TICKS_PER_SECOND / 20) * 100);
    print('idle members, percent of a core each', { percent: percent.map((one) => Number(one.toFixed(2))) });
  });
}

function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ');
  return Number(fields[13]) + Number(fields[14]);
}

const parts = { takeover: () => takeover(Number(values.rounds)), manyMembers, manyPartitions, idle };
for (const [name, part] of Object.entries(parts)) if (values.only === undefined || values.only === name) await part();
rmSync(library, { recursive: true, force: true });
