/** Runs one round: real processes on one directory, real signals, and the checker over what they saw. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Client } from '../../src/index.js';
import { ActorPool, type ActorProcess } from './actor-process.js';
import { type CopyTime, cameAbout } from './came-about.js';
import { checkHistory } from './check-history.js';
import { type Anomaly, type Operation, type Poll, parseHistory, type RoundEvent } from './history.js';
import type { ActorPlan, RoundPlan } from './round-plan.js';

const LIBRARY = fileURLToPath(new URL('../../dist', import.meta.url));
const TOPIC = 'orders';
/** Beyond its duration; a stopped process is continued meanwhile. */
const PATIENCE_MS = 80_000;
/** A round takes no more than so many times its duration. */
const LONGEST = 6;

/** Part of the message about a process that had to be killed. */
export const NEVER_ENDED = 'did not end within';

export interface RoundOptions {
  /** Processes that have taken part in other rounds. */
  readonly pool?: ActorPool;
  /** A directory as `dist`; default `dist` itself. */
  readonly library?: string | undefined;
  /** Another one, for the processes of these roles, or all. */
  readonly flawed?: { readonly library: string; readonly roles?: readonly ActorPlan['role'][] | undefined };
  /** How much longer than planned a process may take. */
  readonly patienceMs?: number;
}

export interface RoundResult {
  readonly anomalies: readonly Anomaly[];
  readonly operations: number;
  readonly acknowledged: number;
  readonly killed: number;
  /** How often that came about which the round is named for. */
  readonly cameAbout: number;
}

type OpenClient = (options: { directory: string; create?: boolean }) => Promise<Client>;

/** `workDirectory` is empty. */
export async function runRound(
  plan: RoundPlan,
  workDirectory: string,
  options: RoundOptions = {},
): Promise<RoundResult> {
  const { library = LIBRARY, flawed, patienceMs = PATIENCE_MS, pool = new ActorPool() } = options;
  const { openClient } = (await import(pathToFileURL(join(library, 'index.js')).href)) as { openClient: OpenClient };
  const directory = join(workDirectory, 'data');
  const histories = join(workDirectory, 'histories');
  mkdirSync(histories);
  const isReplaced = plan.actors.some(({ role }) => role === 'replace');
  const client = await openClient({ directory, create: true });
  const { partitions, configs } = plan;
  await client.admin().createTopic({ topic: TOPIC, partitions, configs });
  await client.close();

  const processes = new Map<string, ActorProcess>();
  const failures: string[] = [];
  const shared = { topic: TOPIC, directory, partitions, configs, isReplaced };
  const begun = plan.actors.map(async (actor) => {
    const isFlawed = flawed !== undefined && (flawed.roles?.includes(actor.role) ?? true);
    const history = join(histories, `${actor.name}.jsonl`);
    const one = pool.take();
    processes.set(actor.name, one);
    const ready = one.hear('ready');
    one.tell({ ...shared, ...actor, library: isFlawed ? flawed.library : library, history });
    await ready;
  });
  // Whatever a machine under load takes to start them, they begin together.
  await Promise.all(begun);
  const finished = plan.actors.map((actor) => finish(actor, processes.get(actor.name)!, failures, patienceMs));
  const isOver = roundEnd(plan, processes, patienceMs);
  for (const one of processes.values()) one.tell('begin');
  void isOver.then(() => {
    for (const one of processes.values()) one.tell('over');
  });
  const busy = new Set(plan.actors.map(({ name }) => name));
  for (const [i, { name }] of plan.actors.entries()) void finished[i]!.then(() => busy.delete(name));
  let signals = 0;
  const timers = plan.signals.flatMap(({ actor, afterMs, signal, forMs }) => [
    setTimeout(() => {
      if (busy.has(actor) && processes.get(actor)!.kill(signal)) signals++;
    }, afterMs),
    ...(forMs === undefined ? [] : [setTimeout(() => processes.get(actor)!.kill('SIGCONT'), afterMs + forMs)]),
  ]);
  // Those that stop themselves while they hold a lock.
  const continuing = setInterval(() => {
    for (const one of processes.values()) one.kill('SIGCONT');
  }, 120);
  const copies = plan.copiesAtMs.map((afterMs, i) => copyAfter(directory, join(workDirectory, `copy${i}`), afterMs));
  const ends = await Promise.all(finished);
  clearInterval(continuing);
  for (const timer of timers) clearTimeout(timer);
  for (const one of processes.values()) pool.give(one);

  const operations: Operation[] = [];
  const events: RoundEvent[] = [];
  for (const name of readdirSync(histories)) {
    const found = parseHistory(readFileSync(join(histories, name), 'utf8'));
    for (const operation of found.operations) operations.push(operation);
    events.push(...found.events);
    failures.push(...found.failures);
  }
  const anomalies: Anomaly[] = [];
  const readAll = async (from: string, poll: Partial<Poll>): Promise<void> => {
    try {
      operations.push(...(await readEverything(openClient, from, isReplaced, poll)));
    } catch (error) {
      failures.push(`reading ${from} to its end: ${error}`);
    }
  };
  const copied: CopyTime[] = [];
  for (const copy of copies) {
    const { path, invoked, completed } = await copy;
    copied.push({ invoked, completed });
    await readAll(path, { invoked, copy: true });
  }
  await readAll(directory, { final: true });
  anomalies.push(...checkHistory(operations));
  for (const message of failures) anomalies.push({ kind: 'process failed', log: undefined, message });
  const acknowledged = operations.filter((one) => one.kind === 'send' && one.outcome === 'ok').length;
  const killed = ends.filter((signal) => signal === 'SIGKILL').length;
  if (options.pool === undefined) pool.close();
  const times = cameAbout(plan.name, { operations, events, signals, copies: copied });
  return { anomalies, operations: operations.length, acknowledged, killed, cameAbout: times };
}

/**
 * When its time has passed, its faults have come about and somebody has stored a record: a busy machine takes longer.
 */
async function roundEnd(
  { actors, durationMs }: RoundPlan,
  processes: Map<string, ActorProcess>,
  patienceMs: number,
): Promise<void> {
  const awaited = actors.filter(({ faults = [] }) => faults.length > 0).map(({ name }) => processes.get(name)!);
  const writers = actors.filter(({ role }) => role === 'write').map(({ name }) => processes.get(name)!);
  const stored = firstStored(writers);
  const cameAbout = Promise.all(awaited.map((one) => one.hear('event', 'done')));
  await delay(durationMs);
  await Promise.race([cameAbout, delay((LONGEST - 1) * durationMs)]);
  await Promise.race([stored, delay(patienceMs / 2)]);
}

/** The first record that one of them has stored, or the end of them all. */
async function firstStored(writers: readonly ActorProcess[]): Promise<void> {
  const storing = writers.map(async (one) => {
    if ((await one.hear('acknowledged', 'done')) !== 'acknowledged') throw new Error('it has stored nothing');
  });
  await Promise.any(storing).catch(() => {});
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

/** The signal that ended it, if one did. Ending by an error or not at all is a failure of the round. */
async function finish(
  actor: ActorPlan,
  one: ActorProcess,
  failures: string[],
  patienceMs: number,
): Promise<NodeJS.Signals | null> {
  const longestMs = LONGEST * actor.durationMs + patienceMs;
  let hangs = false;
  const timer = setTimeout(() => {
    hangs = true;
    one.kill('SIGKILL');
  }, longestMs);
  const said = await one.hear('done');
  clearTimeout(timer);
  if (hangs) failures.push(`${actor.name} ${NEVER_ENDED} ${longestMs} ms`);
  else if (said === 'ended' && one.signal === null) {
    failures.push(`${actor.name} ended with ${one.exitCode}: ${one.errors.slice(-2000)}`);
  }
  return one.signal;
}

async function copyAfter(from: string, to: string, afterMs: number): Promise<CopyTime & { readonly path: string }> {
  await new Promise((resolve) => {
    setTimeout(resolve, afterMs);
  });
  const invoked = now();
  // Directories that vanish while they are copied make cp complain, and that is all right.
  const child = spawn('cp', ['-r', from, to], { stdio: 'ignore' });
  await new Promise((resolve) => {
    child.on('exit', resolve);
  });
  return { path: to, invoked, completed: now() };
}

/** Every partition from its start to its end, as operations of a process of its own. */
async function readEverything(
  openClient: OpenClient,
  directory: string,
  isReplaced: boolean,
  more: Partial<Poll>,
): Promise<Poll[]> {
  const client = await openClient({ directory });
  const polls: Poll[] = [];
  try {
    const topics = await client.admin().listTopics();
    for (const { topic, topicId, partitions } of topics) {
      for (let partition = 0; partition < partitions; partition++) {
        const name = `${topic}-${partition}`;
        const invoked = now();
        const consumer = client.consumer({ topics: [{ topic, partitions: [partition] }] });
        const records: [number, string][] = [];
        for await (const { cursor } of consumer.batches()) {
          while (cursor.next()) records.push([cursor.offset, text(cursor.value())]);
        }
        const log = isReplaced ? `${topicId}/${name}` : name;
        const next = (records.at(-1)?.[0] ?? -1) + 1;
        const plain = {
          kind: 'poll',
          session: `all of ${directory} ${name}`,
          from: 0,
          copy: false,
          final: false,
        } as const;
        polls.push({ ...plain, log, records, next, toEnd: true, invoked, completed: now(), ...more });
      }
    }
  } finally {
    await client.close();
  }
  return polls;
}

function text(value: Uint8Array | null): string {
  return Buffer.from(value ?? [])
    .toString()
    .split(' ', 1)[0]!;
}

function now(): number {
  return Number(process.hrtime.bigint());
}
