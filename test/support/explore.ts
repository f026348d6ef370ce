import { seededRandom } from './chooser.js';
import {
  type Bounds,
  type Decider,
  type Deviation,
  RandomDecider,
  readSchedule,
  SystematicDecider,
  writeSchedule,
} from './decider.js';
import { Nemesis, type NemesisOptions } from './nemesis.js';
import type { ProcessBody } from './scheduler.js';
import { SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.js';
import { type AfterKill, World } from './world.js';

/** What to explore: a machine and the processes on it. Built anew for each schedule. */
export interface Scenario {
  readonly disk?: SimulatedDiskOptions;
  /** Fills the disk, once; every schedule begins with a copy. All files must be closed at the end. */
  prepare?(disk: SimulatedDisk): void | Promise<void>;
  build(world: ScenarioWorld): void;
}

export interface ScenarioWorld {
  readonly disk: SimulatedDisk;
  /**
   * Kill and power loss end a process; unless `gone` it then begins its next life. An error it throws is a violation.
   */
  spawn(name: string, body: ProcessBody, afterKill?: AfterKill): void;
  /** Throws if something that must hold does not. */
  afterEachStep(check: () => void): void;
  /** The same, when all processes have ended. */
  atEnd(check: () => void | Promise<void>): void;
  /** At the end: one more process, with nobody beside it. */
  alone<T>(name: string, body: (context: Parameters<ProcessBody>[0]) => Promise<T>): Promise<T>;
}

export interface ExploreOptions extends NemesisOptions {
  /** Switches away from a process that could have gone on, in one run. Default 1. */
  readonly preemptions?: number;
  /** Faults in one run, of all kinds together. Default: as many as their budgets allow. */
  readonly faults?: number;
  /** Exceptions within one run's faults, such as a single sector that survives. Default 1. */
  readonly details?: number;
  /** Other choices than the next in turn where a process had to stop anyway. Default 2. */
  readonly orders?: number;
  /** Schedules to try at most. Default 2,000. */
  readonly schedules?: number;
  /** Decides what is tried of schedules of equal weight when not all can be. Default 1. */
  readonly seed?: number;
  /** Instead of the search: this one, as a violation named it. */
  readonly replay?: string | undefined;
}

export interface Violation {
  readonly message: string;
  /** Where it was noticed, in the code. */
  readonly error: unknown;
  /** One line per step: process, call, outcome. */
  readonly trace: string;
  /** For {@link ExploreOptions.replay}. */
  readonly replay: string;
}

export interface Exploration {
  readonly schedules: number;
  /** Nothing within the bounds was left out. */
  readonly complete: boolean;
  /** The first one found; the search ends there. */
  readonly violation: Violation | undefined;
}

/**
 * Every interleaving with at most so many preemptions and faults (after CHESS: most errors need very few), those with
 * the fewest first.
 */
export async function explore(scenario: Scenario, options: ExploreOptions = {}): Promise<Exploration> {
  const prepared = await prepare(scenario);
  if (options.replay !== undefined) {
    const violation = await runOnce(scenario, prepared, readSchedule(options.replay), options, options.replay);
    return { schedules: 1, complete: false, violation };
  }
  const nemesis = new Nemesis(options);
  const bounds: Bounds = {
    order: options.orders ?? 2,
    preemption: options.preemptions ?? 1,
    fault: options.faults ?? nemesis.faultsLeft,
    detail: options.details ?? 1,
  };
  const random = seededRandom(options.seed ?? 1);
  const budget = options.schedules ?? 2_000;
  const byWeight: (Deviation | undefined)[][] = [[undefined]];
  let schedules = 0;
  for (let weight = 0; weight < byWeight.length; weight++) {
    const waiting = byWeight[weight] ?? [];
    while (waiting.length > 0) {
      if (schedules === budget) return { schedules, complete: false, violation: undefined };
      const chosen = Math.floor(random() * waiting.length);
      const deviation = waiting[chosen];
      waiting[chosen] = waiting[waiting.length - 1];
      waiting.pop();
      const decider = new SystematicDecider(deviation);
      const violation = await runOnce(scenario, prepared, decider, options, writeSchedule(deviation));
      schedules++;
      if (violation) return { schedules, complete: false, violation };
      for (const further of decider.further(bounds)) {
        byWeight[further.weight] ??= [];
        byWeight[further.weight]!.push(further);
      }
    }
  }
  return { schedules, complete: true, violation: undefined };
}

/** Random walks, one for each seed from `seed` on: reaches deep runs that the search does not. */
export async function walk(scenario: Scenario, options: ExploreOptions & { walks: number }): Promise<Exploration> {
  const prepared = await prepare(scenario);
  const first = options.seed ?? 1;
  for (let seed = first; seed < first + options.walks; seed++) {
    const violation = await runOnce(scenario, prepared, new RandomDecider(seed), options, `walk ${seed}`);
    if (violation) return { schedules: seed - first + 1, complete: false, violation };
  }
  return { schedules: options.walks, complete: false, violation: undefined };
}

/** For `expect(...)` of tests: the whole story. */
export function describeViolation({ message, error, trace, replay }: Violation): string {
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) stacks.push(at.stack ?? at.message);
  return [message, trace, `to repeat it: replay: '${replay}'`, ...stacks].join('\n\n');
}

async function prepare(scenario: Scenario): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(scenario.disk);
  await scenario.prepare?.(disk);
  return disk;
}

async function runOnce(
  scenario: Scenario,
  prepared: SimulatedDisk,
  decider: Decider,
  options: ExploreOptions,
  replay: string,
): Promise<Violation | undefined> {
  const world = new World(prepared.clone());
  try {
    scenario.build(world);
    await world.run(decider, new Nemesis(options));
    return undefined;
  } catch (error) {
    return { message: story(error), error, trace: world.scheduler.traceText(), replay };
  } finally {
    world.end();
  }
}

function story(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${story(error.cause)}`;
}
