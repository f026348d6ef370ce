/** Runs one round: real processes on one directory, real signals, and the checker over what they saw. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Client } from '../../src/index.js';
import { checkHistory } from './check-history.js';
import { type Anomaly, type Operation, type Poll, parseHistory } from './history.js';
import type { ActorPlan, RoundPlan } from './round-plan.js';

const ACTOR = fileURLToPath(new URL('actors/actor.mjs', import.meta.url));
const LIBRARY = fileURLToPath(new URL('../../dist', import.meta.url));
const TOPIC = 'orders';
/** Beyond its duration; a stopped process is continued meanwhile. */
const PATIENCE_MS = 60_000;

export interface RoundResult {
  readonly anomalies: readonly Anomaly[];
  readonly operations: number;
  readonly acknowledged: number;
  readonly killed: number;
}

type OpenClient = (options: { directory: string; create?: boolean }) => Promise<Client>;

/** `workDirectory` is empty; `library` is a directory as `dist`. */
export async function runRound(plan: RoundPlan, workDirectory: string, library = LIBRARY): Promise<RoundResult> {
  const { openClient } = (await import(pathToFileURL(join(library, 'index.js')).href)) as { openClient: OpenClient };
  const directory = join(workDirectory, 'data');
  const histories = join(workDirectory, 'histories');
  mkdirSync(histories);
  const isReplaced = plan.actors.some(({ role }) => role === 'replace');
  const client = await openClient({ directory, create: true });
  const { partitions, configs } = plan;
  await client.admin().createTopic({ topic: TOPIC, partitions, configs });
  await client.close();

  const processes = new Map<string, ChildProcess>();
  const failures: string[] = [];
  const shared = { topic: TOPIC, directory, library, partitions, configs, isReplaced };
  const running = plan.actors.map((actor) => {
    const child = start({ ...shared, ...actor, history: join(histories, `${actor.name}.jsonl`) });
    processes.set(actor.name, child);
    return ended(actor, child, failures);
  });
  const timers = plan.signals.flatMap(({ actor, afterMs, signal, forMs }) => [
    setTimeout(() => processes.get(actor)?.kill(signal), afterMs),
    ...(forMs === undefined ? [] : [setTimeout(() => processes.get(actor)?.kill('SIGCONT'), afterMs + forMs)]),
  ]);
  // Those that stop themselves while they hold a lock.
  const continuing = setInterval(() => {
    for (const child of processes.values()) child.kill('SIGCONT');
  }, 120);
  const copies = plan.copiesAtMs.map((afterMs, i) => copyAfter(directory, join(workDirectory, `copy${i}`), afterMs));
  const ends = await Promise.all(running);
  clearInterval(continuing);
  for (const timer of timers) clearTimeout(timer);

  const operations: Operation[] = [];
  for (const name of readdirSync(histories)) {
    const found = parseHistory(readFileSync(join(histories, name), 'utf8'));
    operations.push(...found.operations);
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
  for (const copy of copies) {
    const { path, invoked } = await copy;
    await readAll(path, { invoked, copy: true });
  }
  await readAll(directory, { final: true });
  anomalies.push(...checkHistory(operations));
  for (const message of failures) anomalies.push({ kind: 'process failed', log: undefined, message });
  const acknowledged = operations.filter((one) => one.kind === 'send' && one.outcome === 'ok').length;
  const killed = ends.filter((signal) => signal === 'SIGKILL').length;
  return { anomalies, operations: operations.length, acknowledged, killed };
}

function start(plan: object): ChildProcess {
  return spawn(process.execPath, [ACTOR, JSON.stringify(plan)], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** The signal that ended it. Ending by an error or not at all is a failure of the round. */
async function ended(actor: ActorPlan, child: ChildProcess, failures: string[]): Promise<string | null> {
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  let hangs = false;
  const timer = setTimeout(() => {
    hangs = true;
    child.kill('SIGKILL');
  }, actor.durationMs + PATIENCE_MS);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('exit', (code, signal) => resolve([code, signal]));
  });
  clearTimeout(timer);
  if (hangs) failures.push(`${actor.name} did not end within ${actor.durationMs + PATIENCE_MS} ms`);
  else if (signal === null && code !== 0) failures.push(`${actor.name} ended with ${code}: ${errors.slice(0, 2000)}`);
  return signal;
}

async function copyAfter(from: string, to: string, afterMs: number): Promise<{ path: string; invoked: number }> {
  await new Promise((resolve) => {
    setTimeout(resolve, afterMs);
  });
  const invoked = now();
  // Directories that vanish while they are copied make cp complain, and that is all right.
  const child = spawn('cp', ['-r', from, to], { stdio: 'ignore' });
  await new Promise((resolve) => {
    child.on('exit', resolve);
  });
  return { path: to, invoked };
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
