/** A process with some members of a group, and what it says (member.mjs). */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export interface MemberPlan {
  /** Directory of the built library. */
  readonly library: string;
  readonly directory: string;
  readonly group: string;
  readonly topics: readonly string[];
  /** Instead of {@link topics}: sources of regular expressions. */
  readonly patterns?: readonly string[];
  readonly name: string;
  readonly members?: number;
  readonly assignor?: string;
  readonly instanceId?: string;
  /** `none`: it commits by itself, some records late, and before it lets go of a partition. */
  readonly commit?: 'auto' | 'none';
  /** Now and then it pauses the partition that it has read from, for some milliseconds. */
  readonly pauses?: boolean;
  /** It takes batches, each of which is handled when it asks for the next. */
  readonly batches?: boolean;
  readonly autoCommitIntervalMs?: number;
  /** A record takes a random time up to this. */
  readonly handlerMs?: number;
  readonly follow?: boolean;
  /** Says nothing of records. */
  readonly quiet?: boolean;
}

export interface MemberEvent {
  /** Microseconds of the monotonic clock that all processes share. */
  readonly at: number;
  readonly member: string;
  readonly what: string;
  readonly words: readonly string[];
}

export const monotonicUs = (): number => Number(process.hrtime.bigint() / 1000n);

export class MemberProcess {
  readonly name: string;
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  hasExited = false;
  #rest = '';

  constructor(plan: MemberPlan, onEvent: (event: MemberEvent) => void) {
    this.name = plan.name;
    const script = join(import.meta.dirname, 'member.mjs');
    this.child = spawn(process.execPath, [script, JSON.stringify(plan)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop()!;
      for (const line of lines) {
        const [at, member, what, ...words] = line.split(' ');
        onEvent({ at: Number(at), member: member!, what: what!, words });
      }
    });
    this.exited = new Promise((resolve) => {
      // Until everything it said has been read.
      this.child.once('close', () => {
        this.hasExited = true;
        resolve();
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasExited) this.child.kill(signal);
  }
}
