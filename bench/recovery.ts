/**
 * npx tsx bench/recovery.ts [--sizes 1M,1G] [--rounds N] [--work DIR]
 *
 * What it costs to open a log after a kill -9, by the size of the log. For each size a topic is filled by `klog
 * produce`; in each round a `klog produce` that writes without end is killed in mid-write, and then timed: the next
 * `klog produce` of one record, or the next `klog consume` of the last one. Bytes and syncs below the data directory
 * are counted by strace in runs of their own. The same commands on a log with nothing to settle stand beside them.
 * Defaults: 1M,1G, 5 rounds, in $TMPDIR.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { machineDescription } from './machine.js';
import { hasStrace, type Traffic, tracedBytes } from './traced-bytes.js';

const KLOG = resolve(import.meta.dirname, '../bin/klog.js');
const TOPIC = 'large';
const LINE = `${'a line of a hundred bytes and four, as other figures have it '.padEnd(104, '.')}\n`;
const CHUNK = Buffer.from(LINE.repeat(10_000));
const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
/** The writer runs on for up to this long before each kill. */
const LONGEST_WRITING_MS = 400;

/** Figures of one command on a log of one size. */
interface Series {
  readonly command: string;
  readonly state: 'after kill -9' | 'settled';
  readonly ms: number[];
  readonly tails: number[];
  readonly traffic: Traffic[];
}

const request = readArguments();
if (request === undefined) process.exitCode = 2;
else await bench(request);

async function bench({
  sizes,
  rounds,
  work,
}: {
  sizes: readonly string[];
  rounds: number;
  work: string;
}): Promise<void> {
  console.log(machineDescription(work));
  if (!hasStrace()) console.log('There is no strace: bytes are not counted.');
  console.log('| log | command | state | ms: median (least to most) | unsynced tail | read | written | syncs |');
  console.log('|---|---|---|---|---|---|---|---|');
  for (const size of sizes) {
    const directory = join(mkdtempSync(join(work, 'klog-recovery-')), '.klog');
    try {
      await fill(directory, bytesOf(size));
      for (const series of await measure(directory, rounds)) console.log(row(size, series));
    } finally {
      rmSync(join(directory, '..'), { recursive: true, force: true });
    }
  }
}

async function measure(directory: string, rounds: number): Promise<Series[]> {
  const commands: Record<string, string[]> = {
    'produce of one record': ['-d', directory, 'produce', '-q', TOPIC, '--value', LINE.trim()],
    'consume of the last record': ['-d', directory, 'consume', TOPIC, '-o', '-1'],
  };
  const all: Series[] = [];
  for (const [command, args] of Object.entries(commands)) {
    const killed: Series = { command, state: 'after kill -9', ms: [], tails: [], traffic: [] };
    const settled: Series = { command, state: 'settled', ms: [], tails: [], traffic: [] };
    for (let round = 0; round < rounds; round++) {
      killed.tails.push(await killInMidWrite(directory, (LONGEST_WRITING_MS * (round + 1)) / rounds));
      killed.ms.push(timed(args));
      settled.ms.push(timed(args));
      if (!hasStrace()) continue;
      killed.tails.push(await killInMidWrite(directory, (LONGEST_WRITING_MS * (round + 1)) / rounds));
      killed.traffic.push(tracedBytes(directory, [process.execPath, KLOG, ...args]));
      settled.traffic.push(tracedBytes(directory, [process.execPath, KLOG, ...args]));
    }
    all.push(killed, settled);
  }
  return all;
}

async function fill(directory: string, bytes: number): Promise<void> {
  const { child, exit } = startProducing(directory);
  for (let written = 0; written < bytes; written += CHUNK.length) {
    if (!child.stdin!.write(CHUNK.subarray(0, Math.min(CHUNK.length, bytes - written))))
      await once(child.stdin!, 'drain');
  }
  child.stdin!.end();
  const [code] = await exit;
  if (code !== 0) throw new Error(`klog produce ended with ${code}`);
}

/** Bytes of the log beyond what is known to be synced. */
async function killInMidWrite(directory: string, writingMs: number): Promise<number> {
  const before = logBytes(directory);
  const { child, exit } = startProducing(directory);
  let isKilled = false;
  const feed = async () => {
    while (!isKilled) if (!child.stdin!.write(CHUNK)) await Promise.race([once(child.stdin!, 'drain'), exit]);
  };
  // Writing to one that was killed fails.
  const fed = feed().catch(() => {});
  while (logBytes(directory) === before && child.exitCode === null) await sleep(2);
  await sleep(writingMs);
  child.kill('SIGKILL');
  isKilled = true;
  await Promise.all([exit, fed]);
  if (child.signalCode !== 'SIGKILL') throw new Error(`klog produce ended with ${child.exitCode} before the kill`);
  return unsyncedTail(directory);
}

function startProducing(directory: string) {
  const args = [KLOG, '-d', directory, 'produce', '-q', TOPIC];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin!.on('error', () => {});
  return { child, exit: once(child, 'exit') };
}

function unsyncedTail(directory: string): number {
  const control = join(partition(directory), 'klog.end');
  const { stdout } = spawnSync(process.execPath, [KLOG, 'log', 'dump', '--json', control], { encoding: 'utf8' });
  const { safe } = JSON.parse(stdout) as { safe: { segmentBase: number; position: number } };
  let tail = -safe.position;
  for (const name of logNames(directory)) {
    if (Number.parseInt(name, 10) >= safe.segmentBase) tail += statSync(join(partition(directory), name)).size;
  }
  return tail;
}

function logBytes(directory: string): number {
  return logNames(directory).reduce((sum, name) => sum + statSync(join(partition(directory), name)).size, 0);
}

function logNames(directory: string): string[] {
  return readdirSync(partition(directory)).filter((name) => name.endsWith('.log'));
}

function partition(directory: string): string {
  return join(directory, 'log', `${TOPIC}-0`);
}

function timed(args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [KLOG, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`klog ${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}

function row(size: string, { command, state, ms, tails, traffic }: Series): string {
  const spread = (values: readonly number[], show: (value: number) => string) => {
    const sorted = [...values].sort((a, b) => a - b);
    if (sorted.length === 0) return '–';
    return `${show(sorted[sorted.length >> 1]!)} (${show(sorted[0]!)} to ${show(sorted.at(-1)!)})`;
  };
  const bytes = (value: number) =>
    value < UNITS.M! ? `${(value / UNITS.K!).toFixed(1)} K` : `${(value / UNITS.M!).toFixed(1)} M`;
  const columns = [
    size,
    command,
    state,
    spread(ms, (value) => value.toFixed(0)),
    spread(tails, bytes),
    spread(
      traffic.map(({ read }) => read),
      bytes,
    ),
    spread(
      traffic.map(({ written }) => written),
      bytes,
    ),
    spread(
      traffic.map(({ syncs }) => syncs),
      String,
    ),
  ];
  return `| ${columns.join(' | ')} |`;
}

function bytesOf(size: string): number {
  const [, number, unit] = /^(\d+)([KMG])$/.exec(size) ?? [];
  if (unit === undefined) throw new Error(`'${size}' is no size such as 1M or 10G`);
  return Number(number) * UNITS[unit]!;
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        sizes: { type: 'string', default: '1M,1G' },
        rounds: { type: 'string', default: '5' },
        work: { type: 'string', default: tmpdir() },
      },
    });
    const sizes = values.sizes.split(',');
    for (const size of sizes) bytesOf(size);
    const rounds = Number(values.rounds);
    if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds} is not a count`);
    return { sizes, rounds, work: values.work };
  } catch (error) {
    console.error(`recovery: ${(error as Error).message}`);
    return undefined;
  }
}
