/** What groups cost: members that wait, commits, a look at a group of many partitions. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInstalled } from '../bench-case.js';
import { cpuMsOf, GROUP, onStage, type Stage, sleep, TOPIC, until } from './stage.js';

/** What starts, joins and is compiled is over by then. */
const WARM_UP_MS = 5000;
const COMMIT_INTERVAL_MS = 500;
const COMMIT_SECONDS = 10;

/** Percent of a core, of each member for so many seconds in which nothing comes. */
export async function idle(library: string, members: number, partitions: number, seconds: number): Promise<number[]> {
  return await onStage(library, partitions, async ({ ownership, processes, start }) => {
    for (let i = 0; i < members; i++) start({ name: `p${i}` });
    await until(() => ownership.busyMembers === members && ownership.owners.size === partitions);
    await sleep(WARM_UP_MS);
    const spent = () => processes.map((one) => cpuMsOf(one.child.pid!));
    const before = spent();
    await sleep(seconds * 1000);
    return spent().map((ms, i) => (ms - before[i]!) / (seconds * 10));
  });
}

/** Syncs of a member per interval in which it commits, by strace; `undefined`: that is not installed. */
export async function syncsPerCommit(library: string): Promise<number | undefined> {
  if (!isInstalled('strace')) return undefined;
  return await onStage(library, 50, async (stage) => {
    const member = stage.start({ name: 'p', autoCommitIntervalMs: COMMIT_INTERVAL_MS, quiet: true });
    await until(() => stage.ownership.owners.size === 50);
    await sleep(1000);
    const folder = mkdtempSync(join(tmpdir(), 'klog-group-bench-'));
    const calls = join(folder, 'calls');
    const syncs = ['-f', '-qq', '-e', 'trace=fdatasync,fsync', '-o', calls, '-p', String(member.child.pid)];
    const strace = spawn('strace', syncs, { stdio: 'ignore' });
    await sleep(500);
    await produceFor(stage, COMMIT_SECONDS * 1000);
    strace.kill('SIGINT');
    await once(strace, 'exit');
    const found = readFileSync(calls, 'latin1').match(/\b(fdatasync|fsync)\(/g)?.length ?? 0;
    rmSync(folder, { recursive: true, force: true });
    return found / ((COMMIT_SECONDS * 1000) / COMMIT_INTERVAL_MS);
  });
}

/** Of `klog group describe` of a group over 1,000 partitions: milliseconds of the processor, and by the clock. */
export async function describing(
  library: string,
  klog: string,
): Promise<{ readonly cpu: number; readonly wall: number }> {
  return await onStage(library, 1000, async ({ client, directory }) => {
    await using producer = client.producer();
    const places = Array.from({ length: 1000 }, (_, partition) => ({ topic: TOPIC, partition }));
    const value = Buffer.from('order');
    await Promise.all(places.flatMap((place) => [1, 2].map(() => producer.send({ ...place, key: null, value }))));
    await client.admin().alterGroupOffsets(
      GROUP,
      places.map((place) => ({ ...place, offset: 1 })),
    );
    const runs = Array.from({ length: 5 }, () => timed([klog, 'group', 'describe', GROUP, '-d', directory]));
    const middle = (figure: (run: { cpu: number; wall: number }) => number) =>
      runs.map(figure).sort((a, b) => a - b)[runs.length >> 1]!;
    return { cpu: middle(({ cpu }) => cpu), wall: middle(({ wall }) => wall) };
  });
}

async function produceFor({ client }: Stage, ms: number): Promise<void> {
  await using producer = client.producer();
  const deadline = performance.now() + ms;
  for (let i = 0; performance.now() < deadline; i++) {
    await producer.send({ topic: TOPIC, partition: i % 50, key: null, value: Buffer.from('order') });
    await sleep(5);
  }
}

/** A command of this Node; its own time, and that of the shell around it, which is about none. */
function timed(args: readonly string[]): { readonly cpu: number; readonly wall: number } {
  const script = `TIMEFORMAT='%3R %3U %3S'; time "$0" "$@" > /dev/null`;
  const { stderr, status } = spawnSync('bash', ['-c', script, process.execPath, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`klog ended with ${status}: ${stderr}`);
  const [wall, user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number) as [number, number, number];
  return { cpu: (user + system) * 1000, wall: wall * 1000 };
}
