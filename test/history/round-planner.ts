/** What happens in a round: which processes there are, and what is done to them. Everything from the seed. */
import { seededRandom } from '../support/chooser.js';
import {
  type ActorBase,
  type ActorPlan,
  type Fault,
  type ReaderPlan,
  ROUND_NAMES,
  type RoundName,
  type RoundPlan,
  type SignalPlan,
  type WriterPlan,
} from './round-plan.js';

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
      case 'killed between append and sync': {
        const when = this.#either('before', 'before', 'after');
        const { actors } = this.#oneFaulty({ call: 'sync', file: '.log', when, action: 'kill', waiters: 1 }, 6);
        // What was acknowledged before a sync is behind what is safe, and stays: a process has died, not the machine.
        return { actors: actors.map((actor, i) => (i === 1 ? withoutSync(actor) : actor)) };
      }
      case 'sync leader fails while others wait':
        return this.#failingLeader();
      case 'roll while others wait':
        return this.#roll();
      case 'topic replaced while others wait':
        return this.#replaced();
      case 'files swapped between two opens of a reader':
        return this.#swapped();
      case 'copied under load': {
        const copiesAtMs = [0.3, 0.55, 0.8].map((part) => Math.floor(part * this.#durationMs + this.#below(40)));
        return { actors: this.#crowd(3, 1), copiesAtMs };
      }
      case 'killed in mid-write while others wait': {
        const file = this.#either('.log', '.log', 'klog.end', '.index');
        const fault = { call: 'write', file, when: 'torn', action: 'kill', waiters: 1 } as const;
        return this.#oneFaulty(fault, file === 'klog.end' ? 20 : file === '.index' ? 2 : 6);
      }
      case 'settler killed':
        return this.#settlerKilled();
      case 'stopped while holding a lock': {
        const fault = { call: this.#either('write', 'sync'), file: this.#either('.log', 'klog.end') } as const;
        const when = this.#either('before', 'after');
        return this.#oneFaulty({ ...fault, when, action: 'stop' }, 8);
      }
      case 'killed at any call': {
        const [call, file, within] = this.#either<readonly [Fault['call'], string, number]>(
          ['write', '.log', 20],
          ['write', 'klog.end', 60],
          ['sync', '.log', 20],
          ['read', 'klog.end', 60],
          ['open', '', 12],
          ['write', 'index', 2],
          ['syncDirectory', '', 1],
        );
        const when = this.#either('before', 'torn', 'after');
        return this.#oneFaulty({ call, file, when, action: 'kill' }, within);
      }
    }
  }

  #signalled(signal: 'SIGKILL' | 'SIGSTOP'): Pick<RoundPlan, 'actors' | 'signals'> {
    const actors = this.#crowd(3 + this.#below(2), 2);
    const signals = Array.from({ length: 3 + this.#below(4) }, () => {
      // All but the first, who lives to store something.
      const actor = actors[1 + this.#below(actors.length - 1)]!.name;
      // While it opens the directory, too.
      const afterMs = this.#below(this.#durationMs);
      return { actor, afterMs, signal, ...(signal === 'SIGSTOP' ? { forMs: 10 + this.#below(150) } : {}) };
    });
    return { actors, signals };
  }

  /** One writer has the fault at one of the first `within` such calls; three go on beside it. */
  #oneFaulty(fault: Omit<Fault, 'nth'>, within: number, mayFail: readonly string[] = []): Pick<RoundPlan, 'actors'> {
    const actors = this.#crowd(4, 2);
    const faulty = busy(actors[0]!);
    const faults = [{ ...fault, nth: 1 + this.#below(within) }];
    actors[0] = {
      ...faulty,
      faults,
      mayFail: [...faulty.mayFail, ...mayFail],
      ...(mayFail.length > 0 ? { endsWhenFailed: true } : {}),
    };
    return { actors };
  }

  /**
   * One fails the sync that it leads, with what it should have made safe lost, and three wait for it. Nobody may write
   * with less than acks=all here: that much can be lost.
   */
  #failingLeader(): Pick<RoundPlan, 'actors'> {
    const actors = this.#crowd(5, 2).map(busy);
    const loses = this.#random() < 0.7;
    const fault = { call: 'sync', file: '.log', action: 'fail', waiters: 3, loses } as const;
    // What a sync has made safe is not lost.
    const when = loses ? 'before' : this.#either('before', 'after');
    const faulty = actors[0]!;
    actors[0] = {
      ...faulty,
      faults: [{ ...fault, when, nth: 1 + this.#below(6) }],
      mayFail: [...faulty.mayFail, 'KLOG_SYNC_FAILED', 'KAFKA_STORAGE_ERROR'],
      endsWhenFailed: true,
    } as WriterPlan;
    return { actors };
  }

  /** Several die or dawdle in the middle of a roll. */
  #roll(): Pick<RoundPlan, 'actors'> {
    const actors = this.#crowd(4, 2).map((actor): ActorPlan => {
      // An append of thousands of records would roll hundreds of times.
      return actor.role === 'write' && actor.acks === 'none' ? { ...actor, acks: 'written' } : actor;
    });
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
    // Each roll of the two others begins when somebody waits.
    const begins = { call: 'make', file: '.log', when: 'before', action: 'note', waiters: 1, withinMs: 15 } as const;
    for (const i of [2, 3]) actors[i] = { ...actors[i]!, faults: [begins] };
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
    // All locks of the partition are held when its name goes.
    const away = {
      call: 'rename',
      file: 'klog.end',
      when: 'before',
      action: 'note',
      waiters: 1,
      withinMs: 60,
    } as const;
    actors.push({ ...this.#base('replacer'), role: 'replace', faults: [away] });
    return { actors };
  }

  /**
   * Segments are compacted, all records of which stay, while a reader stands between two opens: it has listed the
   * segments and one of them goes before its log is open, or has opened a log and not its index yet. The second alone
   * shows little: the batches before the end of the old log are those of the new one, so the new index is right for
   * both.
   */
  #swapped(): Pick<RoundPlan, 'actors' | 'configs' | 'partitions'> {
    const configs = { 'cleanup.policy': 'compact', 'segment.bytes': String(500 + this.#below(2000)) };
    const swapped = { call: 'open', when: 'before', action: 'swapped', withinMs: 800 } as const;
    const index = { ...swapped, file: this.#either('.index', '.timeindex') };
    // Not two in a row: who meets that five times gives up.
    const logs = Array.from({ length: 20 }, (_, i) => ({ ...swapped, file: '.log', nth: 2 + 2 * i }));
    const faults = this.#random() < 0.75 ? logs : [index];
    // Writers that leave the compaction its turn at the locks.
    const actors = this.#crowd(2, 2).map((actor): ActorPlan => {
      if (actor.role === 'write') return { ...actor, keyed: true, pauseMs: 4 + actor.pauseMs };
      return { ...actor, mode: 'look', faults } as ReaderPlan;
    });
    actors.push({ ...this.#base('compactor'), role: 'compact', mayFail: [...ALWAYS, 'KLOG_LOCKED'] });
    return { actors, configs, partitions: 1 };
  }

  /** A writer dies and leaves something to settle; those that settle it die, too, some calls later. */
  #settlerKilled(): Pick<RoundPlan, 'actors'> {
    const actors = this.#crowd(5, 1);
    const first = { call: 'write', file: this.#either('.log', 'klog.end'), nth: 2 + this.#below(8) } as const;
    actors[0] = { ...busy(actors[0]!), faults: [{ ...first, when: 'torn', action: 'kill' }] };
    for (const i of [1, 2]) {
      const [call, file, within] = this.#either<readonly [Fault['call'], string, number]>(
        ['write', '.log', 12],
        ['write', 'klog.end', 36],
        ['sync', '.log', 12],
        ['truncate', '.log', 1],
        ['rename', 'checkpoint', 1],
      );
      const when = this.#either('before', 'torn', 'after');
      const fault = { call, file, nth: 1 + this.#below(within), when, action: 'kill' } as const;
      actors[i] = { ...busy(actors[i]!), faults: [fault] };
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
    const acks = this.#either('all', 'all', 'all', 'written', 'none');
    const compression = random() < 0.15 ? { compression: this.#either('gzip', 'snappy', 'lz4', 'zstd') } : {};
    return {
      ...this.#base('writer'),
      role: 'write',
      mode: this.#either('one', 'one', 'several', 'list'),
      acks,
      paddingBytes: this.#either(1, 20, 200, 3000),
      // Nothing else holds back who waits for no answer.
      pauseMs: this.#either(0, 1, 3, 8) + (acks === 'none' ? 4 : 0),
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

/** A writer that asks for a sync after each append, and for little else. */
function busy(actor: ActorPlan): ActorPlan {
  return actor.role === 'write' ? { ...actor, acks: 'all', pauseMs: Math.min(actor.pauseMs, 1) } : actor;
}

/** A writer that never waits for a sync. */
function withoutSync(actor: ActorPlan): ActorPlan {
  return actor.role === 'write' ? { ...actor, acks: 'written', mode: 'one', pauseMs: 1 } : actor;
}

/** Round `index` of a run: all kinds in turn. */
export function planRound(seed: number, index: number, durationMs: number): RoundPlan {
  const name = ROUND_NAMES[index % ROUND_NAMES.length]!;
  return planRoundOf(name, seed, index, durationMs);
}

/** Round `index` of a run of one kind only. */
export function planRoundOf(name: RoundName, seed: number, index: number, durationMs: number): RoundPlan {
  return new RoundPlanner(name, (seed * 1_000_003 + index) >>> 0, durationMs).plan();
}
