/**
 * A process that takes part in rounds (actors/actor.mjs), one after the other: starting one takes longer than a round.
 * It is told its plan, `begin` and `over`, a line each, and says `ready`, `acknowledged` once, `event` whenever
 * something planned came about, and `done`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ACTOR = fileURLToPath(new URL('actors/actor.mjs', import.meta.url));

export type Said = 'ready' | 'acknowledged' | 'event' | 'done' | 'ended';

export class ActorProcess {
  readonly #child: ChildProcess;
  readonly #waiting: { readonly what: readonly Said[]; readonly resolve: (said: Said) => void }[] = [];
  #hasEnded = false;
  #errors = '';

  constructor() {
    const child = spawn(process.execPath, [ACTOR], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    // Who died has no need of it.
    child.stdin.on('error', () => {});
    child.stderr.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.#say(line as Said));
    child.on('exit', () => {
      this.#hasEnded = true;
      this.#say('ended');
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** How it ended. */
  get signal(): NodeJS.Signals | null {
    return this.#child.signalCode;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** What it has written to its standard error. */
  get errors(): string {
    return this.#errors;
  }

  tell(line: 'begin' | 'over' | object): void {
    this.#child.stdin?.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  /** The next time that it says one of these, or its end. */
  async hear(...what: readonly Said[]): Promise<Said> {
    if (this.#hasEnded) return 'ended';
    return await new Promise((resolve) => {
      this.#waiting.push({ what: [...what, 'ended'], resolve });
    });
  }

  /** False: it is gone. */
  kill(signal: NodeJS.Signals): boolean {
    return !this.#hasEnded && this.#child.kill(signal);
  }

  #say(said: Said): void {
    for (const one of this.#waiting.splice(0)) {
      if (one.what.includes(said)) one.resolve(said);
      else this.#waiting.push(one);
    }
  }
}

/** Those that have survived their rounds. */
export class ActorPool {
  readonly #idle: ActorProcess[] = [];

  take(): ActorProcess {
    for (let one = this.#idle.pop(); one !== undefined; one = this.#idle.pop()) if (!one.hasEnded) return one;
    return new ActorProcess();
  }

  give(one: ActorProcess): void {
    // A signal of the round may have come after it was done.
    one.kill('SIGCONT');
    if (!one.hasEnded) this.#idle.push(one);
  }

  close(): void {
    for (const one of this.#idle.splice(0)) one.kill('SIGKILL');
  }
}
