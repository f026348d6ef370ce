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
 * Until all have been told when to begin, and their code is compiled: of eight on two CPUs each has V8 compile for itself, and what
 * they wait on is CPU. After 1,500 records each that was still a quarter of all CPU, and a record took twice what it does after 10,000.
 */
const WARM_UP_MS = 15_000;
const MEASURED_MS = 3000;

const FILE = 'one file, a write and an fdatasync each';
const KLOG = 'klog: one partition';
const KLOG_ALONE = 'klog: one writer alone';

/** A round takes ten seconds and more, whatever it measures. */
const MOST_ROUNDS = 3;

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
    const rows = [FILE, KLOG, KLOG_ALONE].map((title): WritersRow => ({ title, rounds: [] }));
    const [file, klog, alone] = rows;
    for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
      file!.rounds.push(
        await writeAtOnce(workspace, WRITERS, { way: 'file', file: join(workspace.folder, `writers${round}`) }),
      );
      const directory = await newLog(workspace, `writers${round}.klog`);
      klog!.rounds.push(await writeAtOnce(workspace, WRITERS, { way: 'klog', directory }));
      alone!.rounds.push(await writeAtOnce(workspace, 1, { way: 'klog', directory }));
    }
    const title = `${WRITERS} processes, one partition`;
    return {
      shown: writersTable(rows),
      verdicts: [
        atLeast(title, 4000, sum(medianRound(klog!)), 'acks/s'),
        atMost(`${title}, the longest wait`, 50, longest(klog!), 'ms'),
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

/** How long each of a writer's entries took, in milliseconds, a list for each writer. */
async function writeAtOnce(
  { program }: Workspace,
  count: number,
  place: { readonly way: string; readonly file?: string; readonly directory?: string },
): Promise<number[][]> {
  const plan = JSON.stringify({ ...place, library: join(program, 'dist') });
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const processes = Array.from({ length: count }, () =>
    spawn(process.execPath, [WRITER, plan], { env, stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  try {
    const lines = processes.map(linesOf);
    for (const each of lines) await nextOf(each);
    const from = Number(process.hrtime.bigint()) + WARM_UP_MS * 1e6;
    for (const { stdin } of processes) stdin.write(`${JSON.stringify([from, from + MEASURED_MS * 1e6])}\n`);
    const waits = await Promise.all(lines.map(nextOf));
    return waits.map((line) => (JSON.parse(line) as number[]).map((ns) => ns / 1e6));
  } finally {
    for (const each of processes) each.kill('SIGKILL');
  }
}

function linesOf({ stdout }: ChildProcess): AsyncIterator<string> {
  return createInterface({ input: stdout! })[Symbol.asyncIterator]();
}

async function nextOf(lines: AsyncIterator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error('a writer has ended too early');
  return value;
}
