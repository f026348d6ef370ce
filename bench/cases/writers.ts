/**
 * What one partition takes from several processes that write to it at once, each waiting for every record of its own to be on
 * the disk; beside them the same processes that append to one file and sync it, each for itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openClient } from '../../src/clients/local/open-client.js';
import type { WritersPart, WritersRow } from '../bench-case.js';
import type { Workspace } from '../workspace.js';

const WRITER = fileURLToPath(new URL('../writers/writer.mjs', import.meta.url));
const WRITERS = 8;
/** Until all have been told when to begin, and their code is compiled. */
const WARM_UP_MS = 6000;
const MEASURED_MS = 3000;

const FILE = 'one file, a write and an fdatasync each';
const KLOG = 'klog: one partition';
const KLOG_ALONE = 'klog: one writer alone';

export const writers: WritersPart = {
  name: 'writers',
  question: `${WRITERS} processes, one partition, one durable record at a time each; ${MEASURED_MS / 1000} s a round.`,
  async writers(workspace, rounds) {
    const rows = [FILE, KLOG, KLOG_ALONE].map((title) => ({ title, rounds: [] as number[][][] }));
    const [file, klog, alone] = rows;
    for (let round = 0; round < rounds; round++) {
      file!.rounds.push(
        await writeAtOnce(workspace, WRITERS, { way: 'file', file: join(workspace.folder, `writers${round}`) }),
      );
      const directory = await newLog(workspace, `writers${round}.klog`);
      klog!.rounds.push(await writeAtOnce(workspace, WRITERS, { way: 'klog', directory }));
      alone!.rounds.push(await writeAtOnce(workspace, 1, { way: 'klog', directory }));
    }
    return rows.map(({ title, rounds: all }): WritersRow => ({ title, seconds: MEASURED_MS / 1000, rounds: all }));
  },
};

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
