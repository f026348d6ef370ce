/** What happens in a round: which processes there are, and what is done to them. Everything from the seed. */
import { seededRandom } from '../support/chooser.js';

/** See actors/faulty-file-system.mjs. */
export interface Fault {
  readonly call: 'open' | 'read' | 'write' | 'truncate' | 'sync' | 'rename' | 'unlink' | 'syncDirectory';
  readonly file: string;
  readonly nth: number;
  readonly when: 'before' | 'torn' | 'after';
  readonly action: 'kill' | 'stop' | 'fail' | 'delay';
  readonly ms?: number;
}

export interface Slow {
  /** One call in so many … */
  readonly one: number;
  /** … takes up to so many milliseconds. */
  readonly ms: number;
}

interface ActorBase {
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

export type ActorPlan = WriterPlan | ReaderPlan | ReplacerPlan;

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
  'copied under load',
  'killed in mid-write while others wait',
  'settler killed',
  'stopped while holding a lock',
  'killed at any call',
] as const;

export type RoundName = (typeof ROUND_NAMES)[number];

/** A kill may cut off what others have appended but not yet synced only if bytes were lost; then they are told. */
const ALWAYS = ['KLOG_OUTCOME_UNKNOWN'];

class RoundPlanner {
  readonly #random: () => number;
  readonly #name: RoundName;
  readonly #seed: number;
  readonly #durationMs: number;
  #actors = 0;

  constructor(name: RoundName, seed: number, durationMs: number) {
    this.#name = name;
    this.#seed = seed;
    this.#durationMs = durationMs;
    this.#random = seededRandom(seed);
  }

  plan(): RoundPlan {
    const random = this.#random;
    const isRoll = this.#name === 'roll while others wait';
    const small = isRoll || random() < 0.4;
    const configs = small ? { 'segment.bytes': String(500 + this.#below(6000)) } : {};
    const partitions = isRoll || random() < 0.6 ? 1 : 2 + this.#below(2);
    const plan = {
      name: this.#name,
      seed: this.#seed,
      partitions,
      configs,
      durationMs: this.#durationMs,
      copiesAtMs: [] as number[],
      signals: [] as SignalPlan[],
    };
    return { ...plan, ...this.#kind() };
  }

  #kind(): Pick<RoundPlan, 'actors'> & Partial<RoundPlan> {
    switch (this.#name) {
      case 'undisturbed':
        return { actors: this.#crowd(2 + this.#below(3), 2 + this.#below(2)) };
      case 'kills':
        return this.#signalled('SIGKILL');
      case 'stops':
        return this.#signalled('SIGSTOP');
      case 'slow calls': {
        const slow = { one: 2 + this.#below(20), ms: 1 + this.#below(15) };
        const actors = this.#crowd(3, 2);
        return { actors: actors.map((actor) => (this.#random() < 0.6 ? { ...actor, slow } : actor)) };
      }
      case 'killed between append and sync':
        return this.#oneFaulty(
          { call: 'sync', file: '.log', when: this.#either('before', 'after'), action: 'kill' },
          6,
        );
      case 'sync leader fails while others wait': {
        const fault = { call: 'sync', file: '.log', when: this.#either('before', 'after'), action: 'fail' } as const;
        return this.#oneFaulty({ ...fault, ms: 20 + this.#below(60) }, 6, ['KLOG_SYNC_FAILED', 'KAFKA_STORAGE_ERROR']);
      }
      case 'roll while others wait':
        return this.#roll();
      case 'topic replaced while others wait':
        return this.#replaced();
      case 'copied under load': {
        const copiesAtMs = [0.3, 0.55, 0.8].map((part) => Math.floor(part * this.#durationMs + this.#below(40)));
        return { actors: this.#crowd(3, 1), copiesAtMs };
      }
      case 'killed in mid-write while others wait': {
        const file = this.#either('.log', '.log', 'klog.end', '.index');
        return this.#oneFaulty({ call: 'write', file, when: 'torn', action: 'kill' }, file === 'klog.end' ? 20 : 6);
      }
      case 'settler killed':
        return this.#settlerKilled();
      case 'stopped while holding a lock': {
        const fault = { call: this.#either('write', 'sync'), file: this.#either('.log', 'klog.end') } as const;
        const when = this.#either('before', 'after');
        return this.#oneFaulty({ ...fault, when, action: 'stop' }, 8);
      }
      case 'killed at any call': {
        const call = this.#either('open', 'write', 'write', 'sync', 'truncate', 'syncDirectory', 'read');
        const file = call === 'syncDirectory' ? '' : this.#either('.log', 'klog.end', 'index', '');
        return this.#oneFaulty({ call, file, when: this.#either('before', 'torn', 'after'), action: 'kill' }, 25);
      }
    }
  }

  #signalled(signal: 'SIGKILL' | 'SIGSTOP'): Pick<RoundPlan, 'actors' | 'signals'> {
    const actors = this.#crowd(3 + this.#below(2), 2);
    const signals = Array.from({ length: 3 + this.#below(4) }, () => {
      const actor = actors[this.#below(actors.length)]!.name;
      // Starting takes about 150 ms: dying then is worth trying too, but not most of the time.
      const afterMs = 60 + this.#below(this.#durationMs + 50);
      return { actor, afterMs, signal, ...(signal === 'SIGSTOP' ? { forMs: 10 + this.#below(150) } : {}) };
    });
    return { actors, signals };
  }

  /** One writer has the fault at one of the first `within` such calls; three go on beside it. */
  #oneFaulty(fault: Omit<Fault, 'nth'>, within: number, mayFail: readonly string[] = []): Pick<RoundPlan, 'actors'> {
    const actors = this.#crowd(4, 2);
    const faulty = actors[0]!;
    const faults = [{ ...fault, nth: 1 + this.#below(within) }];
    actors[0] = {
      ...faulty,
      faults,
      mayFail: [...faulty.mayFail, ...mayFail],
      ...(mayFail.length > 0 ? { endsWhenFailed: true } : {}),
    };
    return { actors };
  }

  /** Several die or dawdle in the middle of a roll. */
  #roll(): Pick<RoundPlan, 'actors'> {
    const actors = this.#crowd(4, 2);
    for (const i of [0, 1]) {
      const call = this.#either('syncDirectory', 'open', 'sync', 'truncate');
      const file = call === 'syncDirectory' ? '' : this.#either('.log', '.index', '.timeindex', 'klog.end');
      const action = this.#either('kill', 'kill', 'delay', 'stop');
      const fault = {
        call,
        file,
        nth: 2 + this.#below(12),
        when: this.#either('before', 'after'),
        action,
        ms: 40,
      } as const;
      actors[i] = { ...actors[i]!, faults: [fault] };
    }
    return { actors };
  }

  #replaced(): Pick<RoundPlan, 'actors'> {
    const mayFail = ['UNKNOWN_TOPIC_OR_PARTITION', 'OFFSET_OUT_OF_RANGE', 'KLOG_OUTCOME_UNKNOWN'];
    const slow = { one: 4 + this.#below(20), ms: 1 + this.#below(20) };
    const actors: ActorPlan[] = this.#crowd(3, 2).map((actor) => ({
      ...actor,
      mayFail,
      ...(this.#random() < 0.5 ? { slow } : {}),
    }));
    actors.push({ ...this.#base('replacer'), role: 'replace' });
    return { actors };
  }

  /** A writer dies and leaves something to settle; those that settle it die, too, some calls later. */
  #settlerKilled(): Pick<RoundPlan, 'actors'> {
    const actors = this.#crowd(5, 1);
    const first = { call: 'write', file: this.#either('.log', 'klog.end'), nth: 2 + this.#below(8) } as const;
    actors[0] = { ...actors[0]!, faults: [{ ...first, when: 'torn', action: 'kill' }] };
    for (const i of [1, 2]) {
      const call = this.#either('write', 'sync', 'truncate', 'syncDirectory', 'rename');
      const file = call === 'syncDirectory' ? '' : this.#either('.log', 'klog.end', 'index', 'checkpoint');
      const fault = {
        call,
        file,
        nth: 1 + this.#below(12),
        when: this.#either('before', 'torn', 'after'),
        action: 'kill',
      } as const;
      actors[i] = { ...actors[i]!, faults: [fault] };
    }
    return { actors };
  }

  #crowd(writers: number, readers: number): ActorPlan[] {
    return [
      ...Array.from({ length: writers }, () => this.#writer()),
      ...Array.from({ length: readers }, () => this.#reader()),
    ];
  }

  #writer(): WriterPlan {
    const random = this.#random;
    const compression = random() < 0.15 ? { compression: this.#either('gzip', 'snappy', 'lz4', 'zstd') } : {};
    return {
      ...this.#base('writer'),
      role: 'write',
      mode: this.#either('one', 'one', 'several', 'list'),
      acks: this.#either('all', 'all', 'all', 'written', 'none'),
      paddingBytes: this.#either(1, 20, 200, 3000),
      pauseMs: this.#either(0, 1, 3, 8),
      ...compression,
    };
  }

  #reader(): ReaderPlan {
    return {
      ...this.#base('reader'),
      role: 'read',
      mode: this.#either('follow', 'look'),
      readOnly: this.#random() < 0.3,
    };
  }

  #base(kind: string): ActorBase {
    const name = `${kind}${++this.#actors}`;
    return { name, seed: this.#below(2 ** 31), durationMs: this.#durationMs, mayFail: ALWAYS };
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #either<T>(...choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!;
  }
}

/** Round `index` of a run: all kinds in turn. */
export function planRound(seed: number, index: number, durationMs: number): RoundPlan {
  const name = ROUND_NAMES[index % ROUND_NAMES.length]!;
  return new RoundPlanner(name, (seed * 1_000_003 + index) >>> 0, durationMs).plan();
}
