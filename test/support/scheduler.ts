import { allLost, type Fate } from './chooser.js';
import { pathTail, SimulatedCall, type SystemErrorCode } from './simulated-call.js';
import { type ProcessClock, SimulatedClock, type SimulatedTimer } from './simulated-clock.js';
import type { Gate, HeldLock, SimulatedDisk, Watcher } from './simulated-disk.js';
import type { SimulatedProcess } from './simulated-process.js';

/** Turns of the event loop that a process may take between two calls, for work of its own. */
const TURNS_ALLOWED = 2_000;
/** Real ones, whatever a test does to the global names. */
const nextTurn = setImmediate;

/** What a process does. `life` counts its starts from 0: what was killed may be started again. */
export type ProcessBody = (context: ProcessContext) => Promise<unknown>;

export interface ProcessContext {
  readonly name: string;
  readonly life: number;
  readonly fs: SimulatedProcess;
  readonly clock: ProcessClock;
  /** Waits, as if for a call, until the condition holds; asked again whenever something happened. */
  wait(what: string, condition: () => boolean): Promise<void>;
}

export type Progress = 'running' | 'done' | 'failed' | 'killed';

/** One life of a process under the scheduler. */
export interface Task {
  readonly context: ProcessContext;
  readonly body: ProcessBody;
  /** Calls made and not answered, oldest first. */
  parked: SimulatedCall[];
  progress: Progress;
  result: unknown;
  error: unknown;
  /** Waits for something that is neither a call, nor a timer, nor a watch. */
  waitsElsewhere: boolean;
}

/** Something that may happen next. */
export type Move =
  | { readonly kind: 'call'; readonly task: Task; readonly call: SimulatedCall }
  | { readonly kind: 'event'; readonly task: Task; readonly watcher: Watcher }
  | { readonly kind: 'timer'; readonly task: Task; readonly timer: SimulatedTimer };

/**
 * Runs processes of a simulated machine one file call at a time. Each call parks until it is granted, and nothing is
 * granted before every process is parked, asleep, waiting for a lock, or done: so one run is one interleaving, the same
 * each time. There is no real time in it.
 */
export class Scheduler implements Gate {
  readonly disk: SimulatedDisk;
  readonly clock: SimulatedClock;
  readonly #tasks = new Map<string, Task>();

  constructor(disk: SimulatedDisk) {
    this.disk = disk;
    this.clock = new SimulatedClock(disk);
    disk.gate = this;
    disk.trace = [];
  }

  get tasks(): Task[] {
    return [...this.#tasks.values()];
  }

  task(name: string): Task {
    const task = this.#tasks.get(name);
    if (!task) throw new Error(`no process ${name}`);
    return task;
  }

  /** The process stands before its first instruction. A killed or finished one of that name begins its next life. */
  spawn(name: string, body: ProcessBody): Task {
    const before = this.#tasks.get(name);
    if (before?.progress === 'running') throw new Error(`${name} is still running`);
    if (before) this.disk.kill(before.context.fs);
    const fs = this.disk.process(name);
    const life = before ? before.context.life + 1 : 0;
    const wait = async (what: string, condition: () => boolean) =>
      fs.submit('wait', what, { ready: condition, run: () => undefined });
    const context: ProcessContext = { name, life, fs, clock: this.clock.of(fs), wait };
    const task: Task = {
      context,
      body,
      parked: [],
      progress: 'running',
      result: undefined,
      error: undefined,
      waitsElsewhere: false,
    };
    this.#tasks.set(name, task);
    const start = new SimulatedCall(fs, 'start', name, {
      run: () => {
        Promise.resolve(context)
          .then(body)
          .then(
            (result) => this.#ended(task, 'done', result, undefined),
            (error) => this.#ended(task, 'failed', undefined, error),
          );
      },
    });
    void start.promise();
    task.parked.push(start);
    return task;
  }

  park(call: SimulatedCall): void {
    const task = this.#tasks.get(call.process.name);
    if (!task || task.context.fs !== call.process) throw new Error(`${call.process.name} was not started by spawn()`);
    task.parked.push(call);
  }

  /** What may happen next, without timers: calls that need not wait, and events to be told. In order of the spawns. */
  moves(): Move[] {
    const moves: Move[] = [];
    const watchers = this.disk.pendingWatchers;
    for (const task of this.#tasks.values()) {
      for (const call of task.parked) if (call.ready) moves.push({ kind: 'call', task, call });
      for (const watcher of watchers) {
        if (watcher.process === task.context.fs) moves.push({ kind: 'event', task, watcher });
      }
    }
    return moves;
  }

  /** The timer that is due next. */
  nextTimer(): Move | undefined {
    const timer = this.clock.timers[0];
    return timer && { kind: 'timer', task: this.task(timer.process.name), timer };
  }

  async make(move: Move): Promise<void> {
    if (move.kind === 'call') return this.grant(move.call);
    if (move.kind === 'event') {
      this.disk.tell(move.watcher);
      this.#note(move.task, `watch event of ${pathTail(move.watcher.path)}`, 'told');
    } else {
      this.clock.fire(move.timer);
      this.#note(move.task, 'timer', 'fired');
    }
    await this.drain();
  }

  /** Lets a parked call happen, by default as it should. `how` says what came of it. */
  async grant(call: SimulatedCall, how: (call: SimulatedCall) => string = (it) => it.run()): Promise<void> {
    const task = this.task(call.process.name);
    if (!call.ready) throw new Error(`${task.context.name} has to wait: ${call.describe()}`);
    const what = call.describe();
    task.parked = task.parked.filter((other) => other !== call);
    const entry = { who: this.#who(task), what, outcome: '' };
    this.disk.trace?.push(entry);
    entry.outcome = how(call);
    await this.drain();
  }

  /** Part of a read or write happens, the rest stays parked: others may come between. */
  tear(call: SimulatedCall, bytes: number): void {
    const what = call.describe();
    this.#note(this.task(call.process.name), what, call.tear(bytes));
  }

  /** Lets every process go on until it makes its next call, sleeps, or ends. */
  async drain(): Promise<void> {
    for (let turns = 0; turns < TURNS_ALLOWED; turns++) {
      await new Promise((resolve) => nextTurn(resolve));
      if (!this.tasks.some((task) => this.#isBusy(task))) return;
    }
    for (const task of this.tasks) if (this.#isBusy(task)) task.waitsElsewhere = true;
  }

  // ---- steps of a script

  /** Lets the process run alone up to a call that fits, and not over it. */
  async until(name: string, fits: (call: SimulatedCall) => boolean): Promise<SimulatedCall> {
    for (;;) {
      const call = this.task(name).parked.find(fits);
      if (call) return call;
      await this.step(name);
    }
  }

  /** Lets the oldest call of the process that need not wait happen; else its next event or timer. */
  async step(name: string): Promise<void> {
    const task = this.task(name);
    const timer = this.clock.timers.find(({ process }) => process === task.context.fs);
    const move = this.moves().find((it) => it.task === task) ?? (timer && { kind: 'timer', task, timer });
    if (!move) throw new Error(`${name} cannot go on (${task.progress}): ${this.waits().join('; ')}`);
    await this.make(move);
  }

  /** Lets the process run alone to its end, which must be a good one. */
  async finish(name: string): Promise<unknown> {
    const task = this.task(name);
    while (task.progress === 'running') await this.step(name);
    if (task.progress === 'failed') throw task.error;
    return task.result;
  }

  /** Lets all processes run to their ends, one after the other as far as they can. */
  async finishAll(): Promise<void> {
    for (;;) {
      const move = this.moves()[0] ?? this.nextTimer();
      if (!move) break;
      await this.make(move);
    }
    const stuck = this.waits();
    if (stuck.length > 0) throw new Error(`deadlock: ${stuck.join('; ')}`);
    for (const task of this.tasks) if (task.progress === 'failed') throw task.error;
  }

  /** The process must stand before a sync: that fails with EIO, and by default everything unsynced is lost. */
  async failSync(name: string, fate: Fate = allLost): Promise<void> {
    const call = this.#parked(name, (it) => it.canFailSync, 'a sync');
    await this.grant(call, () => call.failSync(fate));
  }

  async fail(name: string, code: SystemErrorCode): Promise<void> {
    const call = this.#parked(name, () => true, 'a call');
    await this.grant(call, () => call.fail(code));
  }

  async shortWrite(name: string, bytes: number): Promise<void> {
    const call = this.#parked(name, (it) => it.name === 'write', 'a write');
    await this.grant(call, () => call.runShort(bytes));
  }

  /** The first bytes of the write (by default half) happen, and the process stands in the middle of it. */
  async tearWrite(name: string, bytes?: number): Promise<void> {
    const call = this.#parked(name, (it) => it.name === 'write', 'a write');
    this.tear(call, bytes ?? Math.ceil(call.length / 2));
  }

  kill(name: string): void {
    const task = this.task(name);
    if (task.progress !== 'running') throw new Error(`${name} is ${task.progress}`);
    this.#note(task, 'killed', '');
    this.disk.kill(task.context.fs);
    task.progress = 'killed';
    task.parked = [];
  }

  /** All processes are gone after it, finished ones included. */
  powerLoss(fate: Fate = allLost): void {
    this.disk.trace?.push({ who: '*', what: 'power loss', outcome: '' });
    for (const task of this.tasks) {
      if (task.progress === 'running') task.progress = 'killed';
      task.parked = [];
    }
    this.disk.powerLoss(fate);
  }

  evict(): void {
    this.disk.trace?.push({ who: '*', what: 'the cache drops its clean pages', outcome: '' });
    this.disk.evict();
  }

  /** Why those that have not ended do not go on. */
  waits(): string[] {
    const waits = this.tasks
      .filter((task) => task.progress === 'running')
      .map(({ context, parked }) => {
        const calls = parked.map((call) => call.describe());
        return `${context.name} waits for ${calls.join(', ') || 'something that is no file call, timer or watch'}`;
      });
    return waits.length === 0 ? [] : [...waits, ...this.disk.heldLocks().map(describeLock)];
  }

  /** What happened, one line each: process, call, outcome. */
  traceText(): string {
    const entries = this.disk.trace ?? [];
    const width = Math.max(0, ...entries.map((entry) => entry.who.length));
    return entries
      .map(({ who, what, outcome }, i) => `${String(i + 1).padStart(4)}  ${who.padEnd(width)}  ${what}  ${outcome}`)
      .map((line) => line.trimEnd())
      .join('\n');
  }

  #parked(name: string, fits: (call: SimulatedCall) => boolean, kind: string): SimulatedCall {
    const call = this.task(name).parked.find(fits);
    if (!call) throw new Error(`${name} does not stand before ${kind}: ${this.waits().join('; ')}`);
    return call;
  }

  #isBusy(task: Task): boolean {
    if (task.progress !== 'running' || task.parked.length > 0 || task.waitsElsewhere) return false;
    const { fs } = task.context;
    return !this.disk.isWatching(fs) && !this.clock.timers.some((timer) => timer.process === fs);
  }

  #ended(task: Task, progress: Progress, result: unknown, error: unknown): void {
    if (task.progress !== 'running') return;
    task.progress = progress;
    task.result = result;
    task.error = error;
    this.#note(task, progress, progress === 'failed' ? String(error) : '');
  }

  #note(task: Task, what: string, outcome: string): void {
    this.disk.trace?.push({ who: this.#who(task), what, outcome });
  }

  #who({ context }: Task): string {
    return context.life === 0 ? context.name : `${context.name}#${context.life + 1}`;
  }
}

export function describeLock({ process, path, start }: HeldLock): string {
  return `${process.name} holds ${start} of ${path}`;
}

/** Runs a script on a machine; a failure carries what happened until then. */
export async function runScript(disk: SimulatedDisk, script: (s: Scheduler) => Promise<void>): Promise<void> {
  const scheduler = new Scheduler(disk);
  try {
    await script(scheduler);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${scheduler.traceText()}`, { cause: error });
  } finally {
    disk.gate = undefined;
  }
}
