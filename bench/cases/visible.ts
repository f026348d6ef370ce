/**
 * How long after it was handed to `send` a record is seen in another process. One at a time, durable: the sync of the
 * disk is in it, which is why the same two processes also hand entries over without a log, with and without a sync.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openClient } from '../../src/clients/local/open-client.js';
import type { BenchPart, PartResult } from '../bench-part.js';
import { aligned } from '../markdown-table.js';
import { quoted } from '../measure.js';
import { percentile } from '../statistics.js';
import { atMost } from '../verdict.js';
import type { Workspace } from '../workspace.js';

const PROCESSES = fileURLToPath(new URL('../visible', import.meta.url));
const ENTRIES = 1100;
/** Of each run: until all code is compiled and all files are open. */
const WARM_UP = 100;
const PAUSE_MS = 2;

const PIPE = 'through a pipe';
const WATCHED = 'a file and fs.watch';
const SYNCED = 'a file, fdatasync, a second file and fs.watch';
const FOLLOWED = 'klog: append to visible in a consumer';
const PRINTED = 'klog: append to printed by klog consume -F';
const ACKNOWLEDGED = 'klog: append to acknowledged';

/** A round takes long, and its many events are the repetition. */
const MOST_ROUNDS = 3;

export const visible: BenchPart = {
  name: 'visible',
  question: `One record at a time, durable, seen in another process that waits for it (${ENTRIES - WARM_UP} a round).`,
  async run(workspace, rounds): Promise<PartResult> {
    const found = new Map<string, number[]>();
    const add = (title: string, latenciesNs: readonly number[]) => {
      const all = found.get(title) ?? [];
      found.set(title, all);
      all.push(...latenciesNs.slice(WARM_UP).map((ns) => ns / 1e6));
    };
    for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
      add(PIPE, (await handOver(workspace, 'pipe')).seenNs);
      add(WATCHED, (await handOver(workspace, 'watch', { file: join(workspace.folder, `watched${round}`) })).seenNs);
      add(SYNCED, (await handOver(workspace, 'synced', { file: join(workspace.folder, `synced${round}`) })).seenNs);
      const followed = await handOver(workspace, 'klog', { directory: await newLog(workspace, `followed${round}`) });
      add(FOLLOWED, followed.seenNs);
      add(ACKNOWLEDGED, followed.doneNs);
      const directory = await newLog(workspace, `printed${round}`);
      add(PRINTED, (await handOver(workspace, 'printed', { directory })).seenNs);
    }
    const sorted = new Map([...found].map(([title, all]) => [title, all.sort((a, b) => a - b)]));
    return {
      shown: latencyTable(sorted),
      verdicts: [
        atMost(`${FOLLOWED}, p50`, 2, percentile(sorted.get(FOLLOWED)!, 0.5), 'ms'),
        atMost(`${FOLLOWED}, p99`, 8, percentile(sorted.get(FOLLOWED)!, 0.99), 'ms'),
      ],
    };
  },
};

function latencyTable(sorted: ReadonlyMap<string, readonly number[]>): string {
  const head = ['way', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'events'];
  const lines = [...sorted].map(([title, latencies]) => [
    title,
    ...[0.5, 0.99, 0.999, 1].map((share) => percentile(latencies, share).toFixed(2)),
    String(latencies.length),
  ]);
  return aligned([head, ...lines]);
}

async function newLog({ folder }: Workspace, name: string): Promise<string> {
  const directory = join(folder, name);
  await using client = await openClient({ directory, create: true });
  await client.admin().createTopic({ topic: 'visible' });
  return directory;
}

/** Runs a pair of processes to their end: how old each entry was when it was seen, and how long each send took. */
async function handOver(
  { node, klog, program }: Workspace,
  way: 'pipe' | 'watch' | 'synced' | 'klog' | 'printed',
  place: { readonly file?: string; readonly directory?: string } = {},
): Promise<{ readonly seenNs: number[]; readonly doneNs: number[] }> {
  const command = (name: string, ofWay: string) => {
    const plan = { way: ofWay, events: ENTRIES, pauseMs: PAUSE_MS, library: join(program, 'dist'), ...place };
    return `${node} ${quoted(join(PROCESSES, name))} ${quoted(JSON.stringify(plan))}`;
  };
  if (way === 'pipe') {
    const both = start(`${command('sender.mjs', way)} | ${command('receiver.mjs', way)}`);
    return { seenNs: JSON.parse((await both.lines)[1]!), doneNs: [] };
  }
  const isPrinted = way === 'printed';
  const receiver = start(
    isPrinted
      ? `${klog} consume visible -F -d ${quoted(place.directory!)} | ${command('receiver.mjs', 'pipe')}`
      : command('receiver.mjs', way),
  );
  try {
    await receiver.firstLine;
    const sender = start(command('sender.mjs', isPrinted ? 'klog' : way));
    const [done] = await sender.lines;
    return { seenNs: JSON.parse((await receiver.lines)[1]!), doneNs: JSON.parse(done!) };
  } finally {
    receiver.end();
  }
}

interface Running {
  readonly firstLine: Promise<void>;
  /** All it printed, when its output is closed. */
  readonly lines: Promise<string[]>;
  /** With everything it has started. */
  end(): void;
}

function start(script: string): Running {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const child: ChildProcess = spawn('bash', ['--norc', '-c', script], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  let text = '';
  let hasLine = () => {};
  const firstLine = new Promise<void>((resolve) => {
    hasLine = resolve;
  });
  const lines = new Promise<string[]>((resolve, reject) => {
    child.on('error', reject);
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) hasLine();
      // A pipeline ends when its first command does, which may never: what counts has been said.
      if (text.split('\n').length > 2) resolve(text.split('\n'));
    });
    child.stdout!.on('close', () => resolve(text.split('\n')));
  });
  return {
    firstLine,
    lines,
    end() {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // It has ended.
      }
    },
  };
}
