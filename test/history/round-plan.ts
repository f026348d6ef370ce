/** What a round is made of; round-planner.ts makes them. */

/** See actors/faulty-file-system.mjs. */
export interface Fault {
  readonly call: 'open' | 'make' | 'read' | 'write' | 'truncate' | 'sync' | 'rename' | 'unlink' | 'syncDirectory';
  readonly file: string;
  /** From 1; absent: at every such call. */
  readonly nth?: number;
  readonly when: 'before' | 'torn' | 'after';
  readonly action: 'kill' | 'stop' | 'fail' | 'delay' | 'note' | 'swapped';
  readonly ms?: number;
  /** Not before so many requests for the partition's locks wait, or so long has passed. */
  readonly waiters?: number;
  readonly withinMs?: number;
  /** A failing sync has lost what was not safe yet. */
  readonly loses?: boolean;
}

export interface Slow {
  /** One call in so many … */
  readonly one: number;
  /** … takes up to so many milliseconds. */
  readonly ms: number;
}

export interface ActorBase {
  readonly name: string;
  readonly seed: number;
  readonly durationMs: number;
  readonly faults?: readonly Fault[];
  readonly slow?: Slow;
  /** Error codes that the round explains. */
  readonly mayFail: readonly string[];
}

export interface WriterPlan extends ActorBase {
  readonly role: 'write';
  readonly mode: 'one' | 'several' | 'list';
  readonly acks: 'all' | 'written' | 'none';
  readonly compression?: string;
  readonly paddingBytes: number;
  readonly pauseMs: number;
  /** Each record has a key of its own. */
  readonly keyed?: boolean;
  /** Its process has failed for good after a failed sync. */
  readonly endsWhenFailed?: boolean;
}

export interface ReaderPlan extends ActorBase {
  readonly role: 'read';
  readonly mode: 'follow' | 'look';
  readonly readOnly: boolean;
}

export interface ReplacerPlan extends ActorBase {
  readonly role: 'replace';
}

export interface CompactorPlan extends ActorBase {
  readonly role: 'compact';
}

export type ActorPlan = WriterPlan | ReaderPlan | ReplacerPlan | CompactorPlan;

/** A signal to a process, so long after the start of the round. */
export interface SignalPlan {
  readonly actor: string;
  readonly afterMs: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** SIGSTOP: continued after so long. */
  readonly forMs?: number;
}

export interface RoundPlan {
  readonly name: RoundName;
  readonly seed: number;
  readonly partitions: number;
  readonly configs: Readonly<Record<string, string>>;
  readonly durationMs: number;
  readonly actors: readonly ActorPlan[];
  readonly signals: readonly SignalPlan[];
  /** Copies by `cp -r`, each begun so long after the start. */
  readonly copiesAtMs: readonly number[];
}

export const ROUND_NAMES = [
  'undisturbed',
  'kills',
  'stops',
  'slow calls',
  'killed between append and sync',
  'sync leader fails while others wait',
  'roll while others wait',
  'topic replaced while others wait',
  'files swapped between two opens of a reader',
  'copied under load',
  'killed in mid-write while others wait',
  'settler killed',
  'stopped while holding a lock',
  'killed at any call',
] as const;

export type RoundName = (typeof ROUND_NAMES)[number];
