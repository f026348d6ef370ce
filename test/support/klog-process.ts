import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** The program as it is installed, over the bundle of the last build. */
export const KLOG = join(root, 'bin', 'klog.js');
export const BUNDLE = join(root, 'dist', 'klog.cjs');

/** Without what would change klog's ways, and without the CA file, which costs Node 20 its time of a start again. */
export function plainEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^KLOG_|^NODE_|COLOR$|^VITEST/.test(name),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...extra };
}

export interface Finished {
  /** 128+n where a signal ended it, as a shell has it. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Record<string, string>;
  readonly input?: string | Uint8Array;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

export function startKlog(args: readonly string[], options: RunOptions, spawnOptions: SpawnOptions = {}): ChildProcess {
  const { cwd, env } = options;
  return spawn(process.execPath, [KLOG, ...args], { cwd, env: plainEnvironment(env), ...spawnOptions });
}

/** A klog of its own process, run to its end. */
export async function klog(args: readonly string[], options: RunOptions): Promise<Finished> {
  const child = startKlog(args, options);
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  return finished(child);
}

/** A line of shell in which `klog` is klog. */
export async function shell(line: string, options: RunOptions): Promise<Finished> {
  const script = `klog() { "${process.execPath}" "${KLOG}" "$@"; }\n${line}`;
  const child = spawn('bash', ['-c', script], { cwd: options.cwd, env: plainEnvironment(options.env) });
  // Who does not read its input closes it: that is no failure of the test.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return finished(child);
}

export async function finished(child: ChildProcess): Promise<Finished> {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const exit = code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0);
      resolve({ code: exit, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() });
    });
  });
}
