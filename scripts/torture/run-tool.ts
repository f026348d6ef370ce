/** Programs that the parts run, and what they print. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
const TOOLS = resolve(ROOT, 'test/crash/tools');

export interface Ran {
  /** -1: ended by a signal. */
  readonly code: number;
  /** Both outputs, as they came. */
  readonly text: string;
}

export function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolved, reject) => {
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        text += chunk;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolved({ code: code ?? -1, text }));
  });
}

export function runTool(tool: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return run('python3', [resolve(TOOLS, `${tool}.py`), ...args], { PYTHONDONTWRITEBYTECODE: '1', ...env });
}

/** Why the tools cannot run here; `undefined`: they can. */
export async function whyNoTools(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `the crash tools know Linux on x86-64 only, this is ${process.platform} on ${process.arch}`;
  }
  const probe = [
    `import sys; sys.path.insert(0, ${JSON.stringify(TOOLS)})`,
    'import tracer',
    'seen = []',
    "status = tracer.run(['touch', '/dev/null'], lambda call: seen.append(call.name))",
    "sys.exit(0 if status == 0 and seen else 'nothing was traced, status %s' % status)",
  ].join('\n');
  try {
    const { code, text } = await run('python3', ['-B', '-c', probe]);
    return code === 0 ? undefined : `ptrace does not work here: ${text.trim().split('\n').at(-1)}`;
  } catch (error) {
    return `python3 cannot be run: ${(error as Error).message}`;
  }
}

/** @param worker the number of the one who does it, from 0 on: each does one task at a time */
export type Task = (worker: number) => Promise<void>;

/** Runs the tasks, some at a time. */
export async function inParallel(tasks: readonly Task[], atOnce: number): Promise<void> {
  const left = [...tasks];
  const work = async (worker: number) => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) await task(worker);
  };
  await Promise.all(Array.from({ length: atOnce }, (_, worker) => work(worker)));
}
