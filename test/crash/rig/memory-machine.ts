/**
 * A scenario in memory: a disk, processes that are no more than tasks of this one, and the command line. Clock, ids and
 * inodes are the same in every run, so that runs which come to the same state are seen to.
 */

import { runCommandLine } from '../../../src/cli/main.js';
import type { Client } from '../../../src/clients/client.js';
import type { Clock } from '../../../src/storage/log-context.js';
import { type OpenStoreOptions, openStore } from '../../../src/store/store.js';
import { seededRandom } from '../../support/chooser.js';
import type { Machine } from '../scenarios/machine.js';
import { type Scenario, Stage } from '../scenarios/scenario.js';
import { clientOn } from './client-on.js';
import type { FaultPoint } from './fault-point.js';
import { MemoryContext } from './memory-context.js';
import { MemoryCopies } from './memory-copies.js';
import type { MemoryDisk } from './memory-disk.js';
import { MemoryFileSystem } from './memory-file-system.js';
import { LockTable, ProcessFileSystem, type SharedDisk, Watchers } from './process-file-system.js';
import { currentBootId } from './reboot-file-system.js';

/** When every run takes place. */
const NOW = Date.UTC(2026, 0, 1);
const CLOCK: Clock = { now: () => NOW, uptime: () => 1_000_000 };
/** Of so many calls of several processes one gives the others their turn. */
const TURN_EVERY = 3;

/** A run that takes longer hangs. */
const LONGEST_MS = 30_000;
/** Processes that make no call for so long wait for one that is no more. */
const STILL_MS = 20;
/** What the others have yet, at most, when the first has failed or was killed. */
const AFTERWARDS_MS = 1000;

export class MemoryMachine {
  /** What was printed. */
  said = '';
  /** To standard error. */
  complaint = '';
  /** The exit status; as Python has it for signals: -9, it was killed, -14, it did not end. */
  status = 0;
  /** Command lines that failed without a word. */
  readonly silent: string[] = [];
  readonly copies: MemoryCopies;
  readonly #scenario: Scenario;
  readonly #shared: SharedDisk;
  readonly #random: () => number;
  /** Every process that was started, in the order in which they were. */
  readonly #processes: ProcessFileSystem[] = [];
  readonly #running = new Set<Promise<unknown>>();
  #isOver = false;

  /** @param schedule which of the processes has its turn, where there are several: another number, another order */
  constructor(scenario: Scenario, disk: MemoryDisk, seed: number, point: FaultPoint, schedule = 0) {
    this.#scenario = scenario;
    this.#random = seededRandom(seed);
    const turns = seededRandom(seed * 1_000_003 + schedule);
    const files = new MemoryFileSystem(disk, { bootId: currentBootId() });
    this.copies = new MemoryCopies(files, turns);
    this.#shared = {
      files,
      point,
      locks: new LockTable(),
      watchers: new Watchers(),
      // What there is at the start has survived a power loss.
      safeBytes: new Map(
        point.loses ? [...disk.files()].map(([, { inode, bytes }]) => [inode, Buffer.from(bytes)]) : [],
      ),
      othersFirst: () => scenario.isConcurrent === true && turns() * TURN_EVERY < 1,
    };
  }

  get root(): string {
    return this.#shared.files.root;
  }

  readonly randomBytes = (length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at++) bytes[at] = this.#random() * 256;
    return bytes;
  };

  /** Runs the scenario to its end, or until its process is killed; then the others have a moment yet. */
  async run(seed: number): Promise<void> {
    const process = this.newProcess();
    const stage = new Stage(this.#scenario.name, this.root, seed, process);
    const killed = process.files.died.then(() => {
      if (!this.#isOver) this.status = -9;
    });
    const hung = () => {
      this.status = -14;
    };
    await within(LONGEST_MS, Promise.race([this.#runScenario(stage), killed]), hung);
    await this.#untilStill();
    this.#isOver = true;
    for (const one of this.#processes) one.die();
  }

  /** Something went wrong that nobody looks after: that ends a process. */
  crash(error: unknown): void {
    if (this.#isOver) return;
    this.status = 1;
    this.complaint += `${error}\n`;
  }

  async #runScenario(stage: Stage): Promise<void> {
    try {
      await this.#scenario.run(stage);
      stage.say('done');
    } catch (error) {
      this.crash(error);
    }
  }

  /** Runs `work` as a process; it ends with it, or before it. */
  async runProcess(process: MemoryProcess, work: () => Promise<void>): Promise<void> {
    const died = process.files.died.then(() => {
      if (!process.hasExited && !this.#isOver) throw new Error('a process was killed');
    });
    const run = Promise.race([work(), died]).finally(() => process.files.die());
    const noted = run.catch(() => {});
    this.#running.add(noted);
    void noted.then(() => this.#running.delete(noted));
    return run;
  }

  newProcess(onReady: () => void = () => {}): MemoryProcess {
    const files = new ProcessFileSystem(this.#shared);
    this.#processes.push(files);
    return new MemoryProcess(this, files, onReady);
  }

  part(name: string): (stage: Stage) => Promise<void> {
    return this.#scenario.parts![name]!;
  }

  /** What a failed scenario has under way goes on, as in a process that waits for it, and so do the other processes. */
  async #untilStill(): Promise<void> {
    const { point } = this.#shared;
    const deadline = performance.now() + AFTERWARDS_MS;
    for (let calls = -1; calls !== point.changes + point.looks && performance.now() < deadline; ) {
      calls = point.changes + point.looks;
      for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (this.#running.size > 0) await new Promise((resolve) => setTimeout(resolve, STILL_MS));
    }
  }
}

class MemoryProcess implements Machine {
  readonly files: ProcessFileSystem;
  hasExited = false;
  readonly #machine: MemoryMachine;
  readonly #onReady: () => void;

  constructor(machine: MemoryMachine, files: ProcessFileSystem, onReady: () => void) {
    this.#machine = machine;
    this.files = files;
    this.#onReady = onReady;
  }

  say(text: string): void {
    if (!this.files.isDead) this.#machine.said += text;
  }

  open(directory: string, clock?: Clock): Promise<Client> {
    return this.#openClient(directory, { create: true, clock });
  }

  async #openClient(directory: string, options: OpenStoreOptions): Promise<Client> {
    const { randomBytes } = this.#machine;
    // A quiet command keeps it to itself; here it counts all the same.
    const onWarning = (warning: string) => {
      this.#machine.complaint += `${warning}\n`;
      options.onWarning?.(warning);
    };
    const store = await openStore(this.files, directory, { clock: CLOCK, ...defined(options), onWarning, randomBytes });
    const seams = { now: CLOCK.now, elapsed: () => performance.now(), random: () => 0.5 };
    return clientOn(store, seams);
  }

  start(stage: Stage, part: string, onReady?: () => void): Promise<void> {
    const process = this.#machine.newProcess(onReady);
    const own = new Stage(stage.name, this.#machine.root, stage.seed, process);
    return this.#machine.runProcess(process, () => this.#machine.part(part)(own));
  }

  ready(): void {
    this.#onReady();
  }

  exit(): Promise<never> {
    this.hasExited = true;
    this.files.die();
    return new Promise(() => {});
  }

  klog(args: readonly string[], input = ''): Promise<void> {
    const process = this.#machine.newProcess();
    const context = new MemoryContext(
      { root: this.#machine.root, now: CLOCK.now, input },
      (text) => process.say(text),
      ({ directory, ...options }) => process.#openClient(directory, options),
    );
    return this.#machine.runProcess(process, async () => {
      const status = await runCommandLine([...args, '-q'], context);
      this.#machine.complaint += context.complaint;
      if (status === 0) return;
      if (context.complaint === '') this.#machine.silent.push(args.join(' '));
      throw new Error(`klog ${args.join(' ')} ended with ${status}`);
    });
  }

  copy(directory: string): Promise<string> {
    return this.#machine.copies.copy(directory);
  }

  discard(copy: string): void {
    this.#machine.copies.discard(copy);
  }
}

async function within(mostMs: number, work: Promise<unknown>, late = () => {}): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      late();
      resolve();
    }, mostMs);
  });
  await Promise.race([work, patience]).finally(() => clearTimeout(timer));
}

/** Without what is given as undefined. */
function defined(options: OpenStoreOptions): OpenStoreOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
