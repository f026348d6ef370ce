/** Judges that live as long as the rig: a new one needs seconds until it is fast. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Programs } from './programs.js';
import type { Size } from './sizes.js';

/** How often a judge kills settling. */
export function settleEnv({ settleEvery, settleKilledEvery }: Size): NodeJS.ProcessEnv {
  return { KLOG_CRASH_SETTLE_EVERY: `${settleEvery}`, KLOG_CRASH_SETTLE_KILLED_EVERY: `${settleKilledEvery}` };
}

/** What a state leaves behind is thrown away young. */
const JUDGE_FLAGS = ['--max-semi-space-size=32'];

export class Judges {
  readonly #programs: Programs;
  readonly #work: string;
  readonly #env: NodeJS.ProcessEnv;
  /** By the number of the worker that asks it. */
  readonly #running: (ChildProcess | undefined)[] = [];

  constructor(programs: Programs, work: string, size: Size) {
    this.#programs = programs;
    this.#work = work;
    this.#env = settleEnv(size);
  }

  /** What `--server` of the tools wants, for a worker that asks for one state after the other. */
  async of(worker: number): Promise<string> {
    const path = join(this.#work, `judge-${worker}`);
    const running = this.#running[worker];
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) {
      this.#running[worker] = await this.#start(path);
    }
    return `unix:${path}`;
  }

  close(): void {
    for (const judge of this.#running) judge?.stdin?.end();
  }

  async #start(path: string): Promise<ChildProcess> {
    await rm(path, { force: true });
    const judge = spawn(process.execPath, [...JUDGE_FLAGS, this.#programs.judge, '--listen', path], {
      env: { ...process.env, ...this.#env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // It says one thing: that it listens.
    await once(judge.stdout!, 'data');
    return judge;
  }
}
