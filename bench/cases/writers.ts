/**
 * What one partition takes from several processes that write to it at once, each waiting for every record of its own to
 * be on the disk; beside them the same processes that append to one file and sync it, each for itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openClient } from '../../src/clients/local/open-client.js';
import type { BenchPart, PartResult } from '../bench-part.js';
import { aligned } from '../markdown-table.js';
import { percentile, sum } from '../statistics.js';
import { atLeast, atMost } from '../verdict.js';
import type { Workspace } from '../workspace.js';

const WRITER = fileURLToPath(new URL('../writers/writer.mjs', import.meta.url));
const WRITERS = 8;
/**
 * Once, before the first round: what is measured are programs that have been running. V8 compiles in each of them for
 * itself, and what eight on two CPUs wait for is CPU: with V8's flags as they are they get through 2,500 to 3,400
 * records a second after 5 s, 3,200 to 4,100 after 15 s, and what they come to after 45 s they come to after 6 s where
 * V8 is told to compile sooner (--interrupt-budget).
 */
const WARM_UP_MS = 45_000;
/** Alone, or with nothing to compile. */
const SHORT_WARM_UP_MS = 5000;
/** Until all have been told when a round begins. */
const START_MS = 200;
const MEASURED_MS = 3000;

const FILE = 'one file, a write and an fdatasync each';
const KLOG = 'klog: one partition';
const KLOG_ALONE = 'klog: one writer alone';

/**
 * What several writers got through at once: of each round, and in it of each writer, how long each entry took, in ms.
 */
interface WritersRow {
  readonly title: string;
  readonly rounds: number[][][];
}

export const writers: BenchPart = {
  name: 'writers',
  question: `${WRITERS} processes, one partition, one durable record at a time each; ${MEASURED_MS / 1000} s a round.`,
  async run(workspace, rounds): Promise<PartResult> {
    const file: Place = { way: 'file', file: join(workspace.folder, 'writers') };
    const many: Place = { way: 'klog', directory: await newLog(workspace, 'writers.klog') };
    const one: Place = { way: 'klog', directory: await newLog(workspace, 'writer.klog') };
    const started: Started[] = [];
    try {
      started.push(await start(workspace, FILE, WRITERS, file, SHORT_WARM_UP_MS));
      started.push(await start(workspace, KLOG, WRITERS, many, WARM_UP_MS));
      started.push(await start(workspace, KLOG_ALONE, 1, one, SHORT_WARM_UP_MS));
      for (let round = 0; round < rounds; round++) {
        for (const { row, processes } of started) row.rounds.push(await writeAtOnce(processes, START_MS, MEASURED_MS));
      }
    } finally {
      for (const { processes } of started) for (const { child } of processes) child.kill('SIGKILL');
    }
    const rows = started.map(({ row }) => row);
    const klog = rows[1]!;
    const title = `${WRITERS} processes, one partition`;
    return {
      shown: writersTable(rows),
      verdicts: [
        atLeast(title, 4000, sum(medianRound(klog)), 'acks/s'),
        atMost(`${title}, the longest wait`, 50, longest(klog), 'ms'),
      ],
    };
  },
};

/** Acknowledgements a second are the median round's, and "least" and "most" a writer's in it. */
function writersTable(rows: readonly WritersRow[]): string {
  const lines = rows.map((row) => {
    const sorted = row.rounds.flat(2).sort((a, b) => a - b);
    const figures = [0.5, 0.99, 0.999, 1].map((share) => percentile(sorted, share).toFixed(2));
    const rates = medianRound(row);
    return [row.title, sum(rates).toFixed(0), ...figures, rates[0]!.toFixed(0), rates.at(-1)!.toFixed(0)];
  });
  return aligned([['way', 'acks/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'longest ms', 'least', 'most'], ...lines]);
}

/** The rates of its writers, least first. */
function medianRound({ rounds }: WritersRow): number[] {
  const seconds = MEASURED_MS / 1000;
  const rates = rounds
    .map((all) => all.map((waits) => waits.length / seconds).sort((a, b) => a - b))
    .sort((a, b) => sum(a) - sum(b));
  return rates[rates.length >> 1]!;
}

function longest({ rounds }: WritersRow): number {
  return rounds.flat(2).reduce((most, wait) => Math.max(most, wait), 0);
}

async function newLog({ folder }: Workspace, name: string): Promise<string> {
  const directory = join(folder, name);
  await using client = await openClient({ directory, create: true });
  await client.admin().createTopic({ topic: 'writers' });
  return directory;
}

interface Place {
  readonly way: 'file' | 'klog';
  readonly file?: string;
  readonly directory?: string;
}

interface WriterProcess {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

interface Started {
  readonly row: WritersRow;
  readonly processes: readonly WriterProcess[];
}

async function start(
  { program }: Workspace,
  title: string,
  count: number,
  place: Place,
  warmUpMs: number,
): Promise<Started> {
  const plan = JSON.stringify({ ...place, library: join(program, 'dist') });
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const processes = Array.from({ length: count }, (): WriterProcess => {
    const child = spawn(process.execPath, [WRITER, plan], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    return { child, lines: linesOf(child) };
  });
  for (const { lines } of processes) await nextOf(lines);
  await writeAtOnce(processes, warmUpMs, 0);
  return { row: { title, rounds: [] }, processes };
}

/** How long each of a writer's entries took, in milliseconds, a list for each writer. */
async function writeAtOnce(
  processes: readonly WriterProcess[],
  startMs: number,
  measuredMs: number,
): Promise<number[][]> {
  const from = Number(process.hrtime.bigint()) + startMs * 1e6;
  const window = JSON.stringify([from, from + measuredMs * 1e6]);
  for (const { child } of processes) child.stdin!.write(`${window}\n`);
  const waits = await Promise.all(processes.map(({ lines }) => nextOf(lines)));
  return waits.map((line) => (JSON.parse(line) as number[]).map((ns) => ns / 1e6));
}

function linesOf({ stdout }: ChildProcess): AsyncIterator<string> {
  return createInterface({ input: stdout! })[Symbol.asyncIterator]();
}

async function nextOf(lines: AsyncIterator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error('a writer has ended too early');
  return value;
}
