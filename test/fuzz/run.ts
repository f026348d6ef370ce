/**
 * `npm run fuzz -- [--seed S] [--inputs N] [--from I] [--megabytes M]`: inputs that nobody vouches for, through everything that reads
 * them. A worker meets them; here it is watched: an input that takes over a second, an error that is no KlogError, a process
 * that dies or grows beyond its memory is a finding, named by seed and index. Exit status 1 after any.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LIMIT_MS } from './fuzz-inputs.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    inputs: { type: 'string', default: '100000' },
    from: { type: 'string', default: '0' },
    megabytes: { type: 'string', default: '256' },
  },
});
const [seed, inputs, from, megabytes] = [values.seed, values.inputs, values.from, values.megabytes].map(Number);

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
const LOOK_MS = 200;
/** A busy machine is not a hang. */
const STUCK_MS = 5 * LIMIT_MS;
/** Loading the targets, before the first input. */
const START_MS = 60_000;

const directory = mkdtempSync(join(tmpdir(), 'klog-fuzz-run-'));
const progress = join(directory, 'progress');
const start = performance.now();
const end = from! + inputs!;
let findings = 0;
let peakMegabytes = 0;
let next = from!;

while (next < end) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', WORKER, JSON.stringify({ seed, from: next, inputs: end - next, progress })],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  next = await watch(child, next);
}

const seconds = (performance.now() - start) / 1000;
print(
  `${inputs} inputs (seed ${seed}) in ${Math.round(seconds)} s, ${Math.round(inputs! / seconds)} a second: ` +
    `${findings} findings, at most ${Math.round(peakMegabytes)} MiB resident`,
);
rmSync(directory, { recursive: true, force: true });
process.exit(findings === 0 ? 0 : 1);

/** Until it is done or has to be ended; the index to go on with. */
async function watch(child: ChildProcess, first: number): Promise<number> {
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) report(JSON.parse(line) as { index: number; target: string; problem: string });
  });
  let reason: string | undefined;
  let last = -1;
  let since = performance.now();
  const timer = setInterval(() => {
    const index = current();
    if (index !== last) {
      last = index;
      since = performance.now();
    } else if (performance.now() - since > (index < 0 ? START_MS : STUCK_MS)) reason ??= 'hangs';
    const resident = residentMegabytes(child.pid!);
    peakMegabytes = Math.max(peakMegabytes, resident);
    if (resident > megabytes!) reason ??= `has ${Math.round(resident)} MiB`;
    if (reason !== undefined) child.kill('SIGKILL');
  }, LOOK_MS);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (code, signal) => resolve([code, signal]));
  });
  clearInterval(timer);
  if (code === 0) return end;
  const index = Math.max(first, current());
  report({ index, target: 'the process', problem: reason ?? `ended with ${signal ?? code}` });
  rmSync(progress, { force: true });
  return index + 1;
}

function report({ index, target, problem }: { index: number; target: string; problem: string }): void {
  findings++;
  print(
    `input ${index} (${target}): ${problem.slice(0, 1500)}\n  again: npm run fuzz -- --seed ${seed} --from ${index} --inputs 1`,
  );
}

function current(): number {
  try {
    const bytes = readFileSync(progress);
    return bytes.length < 8 ? -1 : bytes.readDoubleBE(0);
  } catch {
    return -1;
  }
}

/** The peak, from Linux; elsewhere 0. */
function residentMegabytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
