/**
 * A command, run by `sh -c` in a process group of its own: whatever it starts can be ended with it, by the group's id,
 * and nothing else can. A terminal's Ctrl-C does not reach the group: whoever started it passes the signal on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemReason } from '../errors.js';
import { type FailedAttempt, failed, notBegun } from './handler.js';
import type { Environment } from './record-environment.js';

/** A file that a command reads as its standard input. */
export interface HandlerInput {
  readonly fd: number;
  /** What the command has inherited stays open there. */
  close(): void;
}

export interface ProcessGroupOptions {
  readonly command: string;
  readonly env: Environment;
  /** Standard input: an open file, nothing, or a pipe for {@link ProcessGroup.write}. */
  readonly input: number | 'ignore' | 'pipe';
  /**
   * Standard output: the caller's own, or a pipe to {@link ProcessGroup.output}. Standard error is the caller's own.
   */
  readonly output: 'inherit' | 'pipe';
  /** Whether any process of the group still runs; those that are dead and not waited for do not. */
  readonly groupLives: (groupId: number) => boolean;
}

/** Between two looks whether a group that was asked to end has done so. */
const LOOK_MS = 20;
/** What outlives the command that has started it has this long. */
const REST_MS = 1000;
/** What was killed is gone a moment later. */
const KILL_MS = 200;

export class ProcessGroup {
  readonly #child: ChildProcess;
  readonly #groupLives: (groupId: number) => boolean;
  /** Resolves when the command itself has ended: why that is a failure, or nothing after exit code 0. Never rejects. */
  readonly ended: Promise<FailedAttempt | undefined>;
  /** Resolves when nobody can write to {@link output} any more. */
  readonly outputClosed: Promise<void>;
  #hasEnded = false;

  /** Fails with the system's error where not even a process could be made. */
  constructor(options: ProcessGroupOptions) {
    const { command, env, input, output } = options;
    const child = spawn('sh', ['-c', command], { stdio: [input, output, 'inherit'], env, detached: true });
    this.#child = child;
    this.#groupLives = options.groupLives;
    this.ended = new Promise((resolve) => {
      const end = (failure: FailedAttempt | undefined) => {
        this.#hasEnded = true;
        // What it left running in the background must not keep the pipe open.
        child.stdin?.destroy();
        resolve(failure);
      };
      child.on('error', (error) => end(notBegun(systemReason(error))));
      child.on('exit', (code, signal) => {
        if (signal !== null) end(failed(`ended by ${signal}`));
        else end(code === 0 ? undefined : failed(`exit code ${code}`));
      });
    });
    this.outputClosed = new Promise((resolve) => {
      child.on('error', () => resolve());
      child.on('close', () => resolve());
    });
    // A command need not read its input.
    child.stdin?.on('error', () => {});
  }

  get output(): NodeJS.ReadableStream | null {
    return this.#child.stdout;
  }

  write(bytes: Uint8Array): void {
    this.#child.stdin?.write(bytes);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /**
   * Asks the whole group to end: the command has `graceMs`, and what is left behind it a little more. (What a shell
   * started in the background does not hear SIGINT.) The rest is ended by force. Resolves when all that is done.
   */
  async end(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    this.#send(signal);
    await waitFor(() => this.#hasEnded, graceMs);
    if (signal !== 'SIGTERM') this.#send('SIGTERM');
    await waitFor(() => !this.#lives(), REST_MS);
    this.#send('SIGKILL');
    await waitFor(() => !this.#lives(), KILL_MS);
    await this.ended;
    this.#child.stdout?.destroy();
  }

  #lives(): boolean {
    const { pid } = this.#child;
    return pid !== undefined && this.#groupLives(pid);
  }

  #send(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: all of the group have ended.
    }
  }
}

async function waitFor(holds: () => boolean, mostMs: number): Promise<void> {
  for (let waited = 0; waited < mostMs && !holds(); waited += LOOK_MS) await sleep(LOOK_MS);
}
