import { type Chooser, seededRandom } from './chooser.js';

/**
 * What leaving the plain course costs: `order` is another process where the running one had to stop anyway,
 * `preemption` one where it could have gone on, `fault` a blow of fate, `detail` an exception within a fault.
 */
export type Cost = 'order' | 'preemption' | 'fault' | 'detail';

/** How many of each one run may have. */
export type Bounds = Readonly<Record<Cost, number>>;

/** Takes the decisions of one run. Option 0 is the plain one and costs nothing; `costs` are those of the others. */
export interface Decider extends Chooser {
  decide(costs: readonly Cost[]): number;
}

/** At the decision number `position` the run took `option`; everywhere else the plain one. */
export interface Deviation {
  readonly before: Deviation | undefined;
  readonly position: number;
  readonly option: number;
  readonly spent: Bounds;
  /** Runs with little weight are tried first. */
  readonly weight: number;
}

const WEIGHTS: Bounds = { order: 1, preemption: 2, fault: 2, detail: 1 };
const NOTHING_SPENT: Bounds = { order: 0, preemption: 0, fault: 0, detail: 0 };

/** Follows the given deviations and remembers which others there were. */
export class SystematicDecider implements Decider {
  readonly #forced = new Map<number, number>();
  readonly #last: Deviation | undefined;
  readonly #costs: (readonly Cost[])[] = [];
  #counts: number[] = [];

  constructor(last: Deviation | undefined) {
    this.#last = last;
    for (let deviation = last; deviation; deviation = deviation.before) {
      this.#forced.set(deviation.position, deviation.option);
    }
  }

  decide(costs: readonly Cost[]): number {
    const option = this.#forced.get(this.#costs.length) ?? 0;
    if (option > costs.length) throw new Error('this schedule does not fit the scenario: the run is not repeatable');
    this.#costs.push(costs);
    this.#counts.push(costs.length);
    return option;
  }

  choose(count: number): number {
    return this.decide(detailCosts(count));
  }

  /** The schedules that deviate once more, behind the last deviation, within the bounds. */
  *further(bounds: Bounds): Generator<Deviation> {
    const before = this.#last;
    const spent = before?.spent ?? NOTHING_SPENT;
    for (let position = (before?.position ?? -1) + 1; position < this.#costs.length; position++) {
      const costs = this.#costs[position]!;
      for (let option = 1; option <= costs.length; option++) {
        const cost = costs[option - 1]!;
        if (spent[cost] >= bounds[cost]) continue;
        const weight = (before?.weight ?? 0) + WEIGHTS[cost];
        yield { before, position, option, spent: { ...spent, [cost]: spent[cost] + 1 }, weight };
      }
    }
  }
}

/** Deviates now and then; how often differs from seed to seed. */
export class RandomDecider implements Decider {
  readonly #random: () => number;
  readonly #rates: Readonly<Record<Cost, number>>;

  constructor(seed: number) {
    const random = seededRandom(seed);
    const oneOf = (...rates: number[]) => rates[Math.floor(random() * rates.length)]!;
    this.#random = random;
    this.#rates = {
      order: oneOf(0.2, 0.5, 0.8),
      preemption: oneOf(0.02, 0.1, 0.3),
      fault: oneOf(0.01, 0.03, 0.1),
      detail: oneOf(0, 0.1, 0.5),
    };
  }

  decide(costs: readonly Cost[]): number {
    for (const cost of ['fault', 'preemption', 'order', 'detail'] as const) {
      const options = costs.flatMap((it, i) => (it === cost ? [i + 1] : []));
      if (options.length > 0 && this.#random() < this.#rates[cost]) {
        return options[Math.floor(this.#random() * options.length)]!;
      }
    }
    return 0;
  }

  choose(count: number, what: string): number {
    // The one question that decides between the two likeliest fates: an even chance.
    if (what.startsWith('unsynced')) return this.#random() < 0.5 ? 0 : 1;
    return this.decide(detailCosts(count));
  }
}

const DETAIL_COSTS: (readonly Cost[])[] = [];

function detailCosts(count: number): readonly Cost[] {
  let costs = DETAIL_COSTS[count];
  if (!costs) {
    costs = Array.from({ length: count - 1 }, () => 'detail' as const);
    DETAIL_COSTS[count] = costs;
  }
  return costs;
}

export function writeSchedule(last: Deviation | undefined): string {
  const parts: string[] = [];
  for (let deviation = last; deviation; deviation = deviation.before) {
    parts.unshift(`${deviation.position}:${deviation.option}`);
  }
  return `schedule ${parts.join(' ')}`.trim();
}

export function readSchedule(text: string): Decider {
  const [kind, ...parts] = text.split(' ');
  if (kind === 'walk') return new RandomDecider(Number(parts[0]));
  let last: Deviation | undefined;
  for (const part of parts) {
    const [position, option] = part.split(':').map(Number) as [number, number];
    last = { before: last, position, option, spent: NOTHING_SPENT, weight: 0 };
  }
  return new SystematicDecider(last);
}
