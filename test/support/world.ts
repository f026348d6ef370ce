import type { Fate } from './chooser.js';
import type { Cost, Decider } from './decider.js';
import type { ScenarioWorld } from './explore.js';
import { type Alternative, halfOf, type Nemesis } from './nemesis.js';
import { type Move, type ProcessBody, type ProcessContext, Scheduler, type Task } from './scheduler.js';
import type { SimulatedCall } from './simulated-call.js';
import type { SimulatedDisk } from './simulated-disk.js';
import type { SimulatedProcess } from './simulated-process.js';

export type AfterKill = 'restart' | 'gone';

const STEPS_ALLOWED = 3_000;
const ONE_PREEMPTION: readonly Cost[] = ['preemption'];
/** A process that polls without sleeping would run for ever; after so many steps the others have their turn. */
const PATIENCE = 300;

/** One run of a scenario: a machine, its processes, and what must hold. */
export class World implements ScenarioWorld {
  readonly disk: SimulatedDisk;
  readonly scheduler: Scheduler;
  readonly #bodies = new Map<string, { readonly body: ProcessBody; readonly afterKill: AfterKill }>();
  readonly #stepChecks: (() => void)[] = [];
  readonly #endChecks: (() => void | Promise<void>)[] = [];
  /** Whose turn it is. */
  #current: string | undefined;
  #inARow = 0;
  #patience = PATIENCE;
  /** Stands in the middle of a call, or has just missed a lock: another goes on first. */
  #standsBack: Task | undefined;

  constructor(disk: SimulatedDisk) {
    this.disk = disk;
    this.scheduler = new Scheduler(disk);
  }

  spawn(name: string, body: ProcessBody, afterKill: AfterKill = 'restart'): void {
    this.#bodies.set(name, { body, afterKill });
    this.scheduler.spawn(name, body);
  }

  afterEachStep(check: () => void): void {
    this.#stepChecks.push(check);
  }

  atEnd(check: () => void | Promise<void>): void {
    this.#endChecks.push(check);
  }

  async alone<T>(name: string, body: (context: ProcessContext) => Promise<T>): Promise<T> {
    this.scheduler.spawn(name, body);
    return (await this.scheduler.finish(name)) as T;
  }

  async run(decider: Decider, nemesis: Nemesis): Promise<void> {
    this.#patience = nemesis.options.patience ?? PATIENCE;
    this.disk.heldForAMoment = (process, { start }) => this.#othersFirst(process, start, decider, nemesis);
    const allowed = nemesis.options.steps ?? STEPS_ALLOWED;
    for (let steps = 0; await this.#step(decider, nemesis); steps++) {
      for (const task of this.scheduler.tasks) {
        if (task.progress === 'failed') throw new Error(`${task.context.name} failed`, { cause: task.error });
      }
      for (const check of this.#stepChecks) check();
      if (steps === allowed && nemesis.options.endless === true) return;
      if (steps === allowed) throw new Error(`no end after ${allowed} steps: ${this.scheduler.waits().join('; ')}`);
    }
    this.disk.heldForAMoment = undefined;
    const stuck = this.scheduler.waits();
    if (stuck.length > 0) throw new Error(`deadlock: ${stuck.join('; ')}`);
    for (const check of this.#endChecks) await check();
  }

  end(): void {
    for (const task of this.scheduler.tasks) this.disk.kill(task.context.fs);
    this.disk.gate = undefined;
  }

  kill(task: Task): void {
    const { name } = task.context;
    this.scheduler.kill(name);
    this.#restart(name);
    // It was its turn, but whoever dies does not go on at once.
    this.#turnTo(name);
    this.#standsBack = this.scheduler.task(name);
  }

  /** Lets a call end otherwise than it should; its process goes on. */
  grant(call: SimulatedCall, how: (call: SimulatedCall) => string): Promise<void> {
    this.#turnTo(call.process.name);
    return this.scheduler.grant(call, how);
  }

  powerLoss(fate: Fate): void {
    this.scheduler.powerLoss(fate);
    this.#current = undefined;
    for (const name of this.#bodies.keys()) this.#restart(name);
  }

  #restart(name: string): void {
    const spawned = this.#bodies.get(name);
    if (spawned?.afterKill === 'restart') this.scheduler.spawn(name, spawned.body);
  }

  /** `false`: nothing can happen any more. */
  async #step(decider: Decider, nemesis: Nemesis): Promise<boolean> {
    const moves = this.#inTurn();
    const timer = this.scheduler.nextTimer();
    const next = moves[0] ?? timer;
    if (!next) return false;
    const alternatives = this.#alternatives(moves, timer, next, nemesis);
    const running = this.scheduler.tasks.filter((task) => task.progress === 'running');
    const bystanders = next.task.context.name === this.#current ? [] : running;
    alternatives.push(...nemesis.faults(this, decider, next, bystanders));
    const chosen =
      alternatives.length === 0 ? 0 : decider.decide(alternatives.map((alternative): Cost => alternative.cost));
    if (chosen > 0) await alternatives[chosen - 1]!.act();
    else await this.#make(next);
    return true;
  }

  /** Whether another process gets the lock first: the one that wants it then waits, and stands back once. */
  #othersFirst(process: SimulatedProcess, start: number, decider: Decider, nemesis: Nemesis): boolean {
    const task = this.scheduler.task(process.name);
    const others = this.scheduler.tasks.some((other) => other !== task && other.progress === 'running');
    if (!others || !nemesis.mayContend(start) || decider.decide(ONE_PREEMPTION) === 0) return false;
    this.#standsBack = task;
    return true;
  }

  /** What may happen, the plain next move first: the running process goes on, else the one behind it in the row. */
  #inTurn(): Move[] {
    const moves = this.scheduler.moves();
    const names = [...this.#bodies.keys()];
    const at = this.#current === undefined ? 0 : names.indexOf(this.#current);
    const patience = this.#inARow < this.#patience;
    const turn = ({ task }: Move) => {
      const distance = (names.indexOf(task.context.name) - at + names.length) % names.length;
      return task === this.#standsBack || (distance === 0 && !patience) ? names.length : distance;
    };
    return moves
      .map((move, i) => ({ move, rank: turn(move) * moves.length + i }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ move }) => move);
  }

  #alternatives(moves: readonly Move[], timer: Move | undefined, next: Move, nemesis: Nemesis): Alternative[] {
    const goesOn = next.task.context.name === this.#current;
    if (goesOn && next.kind === 'call' && !nemesis.maySwitch(next.call)) return [];
    const cost = goesOn ? 'preemption' : 'order';
    const found: Alternative[] = [];
    const offered = new Set<Task>([next.task]);
    for (const move of moves) {
      if (move === next || (move.task !== next.task && offered.has(move.task))) continue;
      offered.add(move.task);
      // Two calls of one process at a time: either may be first.
      found.push({ cost: move.task === next.task ? 'preemption' : cost, act: () => this.#make(move) });
    }
    if (timer && !offered.has(timer.task)) found.push({ cost, act: () => this.#make(timer) });
    if (next.kind === 'call' && nemesis.mayTear(next.call) && moves.some((move) => move.task !== next.task)) {
      found.push({
        cost: 'preemption',
        act: () => {
          this.scheduler.tear(next.call, halfOf(next.call));
          this.#current = next.task.context.name;
          this.#standsBack = next.task;
        },
      });
    }
    return found;
  }

  #turnTo(name: string): void {
    this.#inARow = name === this.#current ? this.#inARow + 1 : 0;
    this.#current = name;
    this.#standsBack = undefined;
  }

  async #make(move: Move): Promise<void> {
    this.#turnTo(move.task.context.name);
    await this.scheduler.make(move);
  }
}
