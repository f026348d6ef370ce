import { chosenFate, type Fate } from './chooser.js';
import type { Cost, Decider } from './decider.js';
import type { Move, Task } from './scheduler.js';
import type { SimulatedCall, SystemErrorCode } from './simulated-call.js';
import type { World } from './world.js';

/** How often in one run; `at` limits it to moments before certain calls. */
export type FaultBudget = number | { readonly count: number; readonly at: (call: SimulatedCall) => boolean };

/** With a fate of its own each blow has one outcome; else all outcomes are tried, within the bounds. */
export type BlowBudget =
  | FaultBudget
  | { readonly count: number; readonly at: (call: SimulatedCall) => boolean; readonly fate: Fate };

export interface NemesisOptions {
  /** SIGKILL before a call, or in the middle of a write. */
  readonly kills?: FaultBudget;
  readonly powerLosses?: BlowBudget;
  readonly failedSyncs?: BlowBudget;
  /** The cache drops its clean pages; offered only while that shows something. */
  readonly evictions?: FaultBudget;
  readonly shortWrites?: FaultBudget;
  readonly errors?: {
    readonly count: number;
    readonly at: (call: SimulatedCall) => boolean;
    readonly code: SystemErrorCode;
  };
  /** Where a process that could go on may be made to wait. Default: before every call. */
  readonly switchAt?: (call: SimulatedCall) => boolean;
  /** Which free locks others may get first, named by where their range begins. Default: all. */
  readonly contendAt?: (start: number) => boolean;
  /** Which reads and writes others may meet half done. Default: all writes. */
  readonly tearAt?: (call: SimulatedCall) => boolean;
  /** Steps one run may take. Default 3,000. */
  readonly steps?: number;
  /** Steps in a row after which a process must let the others go on: it may be polling without sleep. Default 300. */
  readonly patience?: number;
  /** Takes a run that does not end for a good one: only stops are judged. */
  readonly endless?: boolean;
}

/** Something else that may happen instead of the plain next move. */
export interface Alternative {
  readonly cost: Cost;
  /** The process that goes on behind it; `undefined`: as in turn. */
  readonly act: () => void | Promise<void>;
}

type FaultKind = 'kills' | 'powerLosses' | 'failedSyncs' | 'evictions' | 'shortWrites' | 'errors';
const FAULT_KINDS: readonly FaultKind[] = ['kills', 'powerLosses', 'failedSyncs', 'evictions', 'shortWrites', 'errors'];

/** Offers the faults that a run has still to fear. */
export class Nemesis {
  readonly options: NemesisOptions;
  readonly #left = new Map<FaultKind, number>();

  constructor(options: NemesisOptions) {
    this.options = options;
    for (const kind of FAULT_KINDS) {
      const budget = options[kind];
      if (budget !== undefined) this.#left.set(kind, typeof budget === 'number' ? budget : budget.count);
    }
  }

  get faultsLeft(): number {
    let sum = 0;
    for (const left of this.#left.values()) sum += left;
    return sum;
  }

  /** `next` is the plain move; `bystanders` may die as well at this moment. */
  faults(world: World, decider: Decider, next: Move, bystanders: readonly Task[]): Alternative[] {
    if (next.kind !== 'call' || this.faultsLeft === 0) return [];
    const { call } = next;
    const { disk, scheduler } = world;
    const found: Alternative[] = [];
    const offer = (kind: FaultKind, act: () => void | Promise<void>) =>
      found.push({
        cost: 'fault',
        act: () => {
          this.#left.set(kind, this.#left.get(kind)! - 1);
          return act();
        },
      });
    if (this.#mayBefall('kills', call)) {
      offer('kills', () => world.kill(next.task));
      if (call.name === 'write' && call.canTear) {
        offer('kills', () => {
          scheduler.tear(call, halfOf(call));
          return world.kill(next.task);
        });
      }
      for (const task of bystanders) if (task !== next.task) offer('kills', () => world.kill(task));
    }
    if (this.#mayBefall('powerLosses', call))
      offer('powerLosses', () => world.powerLoss(this.#fate('powerLosses', decider)));

    if (call.canFailSync && this.#mayBefall('failedSyncs', call)) {
      offer('failedSyncs', () => world.grant(call, () => call.failSync(this.#fate('failedSyncs', decider))));
    }
    if (this.#mayBefall('evictions', call) && disk.hasLostSectors) offer('evictions', () => scheduler.evict());
    if (call.name === 'write' && !call.isTorn && call.length > 1 && this.#mayBefall('shortWrites', call)) {
      offer('shortWrites', () => world.grant(call, () => call.runShort(halfOf(call))));
    }
    if (this.#mayBefall('errors', call)) {
      offer('errors', () => world.grant(call, () => call.fail(this.options.errors!.code)));
    }
    return found;
  }

  mayTear(call: SimulatedCall): boolean {
    const { tearAt } = this.options;
    return call.canTear && !call.isTorn && (tearAt ? tearAt(call) : call.name === 'write');
  }

  mayContend(start: number): boolean {
    return this.options.contendAt?.(start) ?? true;
  }

  maySwitch(call: SimulatedCall): boolean {
    return this.options.switchAt?.(call) ?? true;
  }

  #fate(kind: 'powerLosses' | 'failedSyncs', decider: Decider): Fate {
    const budget = this.options[kind];
    return typeof budget === 'object' && 'fate' in budget ? budget.fate : chosenFate(decider);
  }

  #mayBefall(kind: FaultKind, call: SimulatedCall): boolean {
    const budget = this.options[kind];
    return (this.#left.get(kind) ?? 0) > 0 && (typeof budget !== 'object' || budget.at(call));
  }
}

export function halfOf(call: SimulatedCall): number {
  return Math.ceil(call.length / 2);
}
