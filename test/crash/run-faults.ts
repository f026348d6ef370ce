/**
 * run-faults SCENARIO --judge PROGRAM …: runs a scenario in memory (rig/memory-machine.ts) again and again, each time
 * with a fault at another of its file calls, and has each outcome judged. Prints failures and, at the end, how much was
 * done; exit 1 if anything failed.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { seededRandom } from '../support/chooser.js';
import { ERROR_KINDS, type Fault, type FaultKind, FaultPoint, KILL_KINDS, LOOK_KINDS } from './rig/fault-point.js';
import { MemoryDisk } from './rig/memory-disk.js';
import { Killed } from './rig/memory-file-system.js';
import { MemoryMachine } from './rig/memory-machine.js';
import { keepTree, type TreeState, treeOf, UPKEEP_FAILED, type Verdict } from './rig/tree-state.js';
import { SCENARIOS } from './scenarios/index.js';
import { DATA, type Scenario } from './scenarios/scenario.js';

/** Not those of the judge, nor those of a real disk. */
const FIRST_INODE = 2 ** 49;
const MOST_REMEMBERED = 100_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    judge: { type: 'string' },
    seed: { type: 'string', default: '1' },
    /** Of fault-point.ts; default all errors. */
    kinds: { type: 'string', default: ERROR_KINDS.join(',') },
    /** Only at so many calls of each class, kind and duration. */
    sample: { type: 'string' },
    /** A directory to begin with. */
    start: { type: 'string' },
    /** Of so many distinct outcomes settling is killed at each of its calls in one; 0: none. */
    'settle-every': { type: 'string', default: '0' },
    keep: { type: 'string' },
    'max-fails': { type: 'string', default: '20' },
  },
});

class Runner {
  readonly #scenario: Scenario;
  /** Of rig/judge-tree.ts. */
  readonly #judge: Worker;
  readonly #root = mkdtempSync(join(tmpdir(), 'klog-faults-'));
  readonly #start: MemoryDisk;
  readonly #seed = Number(values.seed);
  readonly #verdicts = new Map<string, string | undefined>();
  #runs = 0;
  #missed = 0;
  #distinct = 0;
  #settleKills = 0;
  #fails = 0;

  constructor(scenario: Scenario, judge: Worker) {
    this.#scenario = scenario;
    this.#judge = judge;
    // The command line looks on the real disk whether the directory is there, and finds this one; all else is in
    // memory.
    mkdirSync(join(this.#root, DATA));
    const names = values.start === undefined ? undefined : MemoryDisk.load(values.start);
    this.#start = names?.at(this.#root) ?? new MemoryDisk(this.#root, new Map());
  }

  async run(): Promise<boolean> {
    const begun = performance.now();
    try {
      const point = new FaultPoint();
      const problem = await this.#one(point, 'undisturbed', 'undisturbed');
      if (problem !== undefined) return false;
      for (const fault of this.#faults(point)) {
        if (this.#fails >= Number(values['max-fails'])) break;
        await this.#one(new FaultPoint(fault), fault.kind, describe(fault));
      }
      const seconds = (performance.now() - begun) / 1000;
      say(
        `${this.#runs - this.#missed} runs, ${point.changes} calls that change something and ${point.looks} that look, ` +
          `${this.#missed} runs more met no call that can fail so, ${this.#distinct} distinct outcomes, ` +
          `${this.#settleKills} kills of settling, ${this.#fails} failed; ${seconds.toFixed(1)} s`,
      );
      return this.#fails === 0;
    } finally {
      rmSync(this.#root, { recursive: true });
    }
  }

  /** At every call, or a sample of them. */
  *#faults({ changes, looks }: FaultPoint): Generator<Fault> {
    const kinds = values.kinds.split(',') as FaultKind[];
    for (const kind of kinds) {
      const isKill = (KILL_KINDS as readonly string[]).includes(kind);
      for (const isLasting of isKill || kind === 'eio-loses' ? [false] : [false, true]) {
        for (const at of this.#points(changes, `${kind} ${isLasting}`)) yield { kind, at, isLasting, looks: false };
        if (!(LOOK_KINDS as readonly string[]).includes(kind)) continue;
        for (const at of this.#points(looks, `${kind} ${isLasting} look`)) yield { kind, at, isLasting, looks: true };
      }
    }
  }

  #points(total: number, what: string): number[] {
    const all = Array.from({ length: total }, (_, n) => n + 1);
    if (values.sample === undefined) return all;
    const digest = createHash('sha1').update(`${this.#seed} ${this.#scenario.name} ${what}`).digest();
    const random = seededRandom(digest.readUInt32BE(0));
    const chosen = Array.from({ length: Math.min(Number(values.sample), total) }, () =>
      all.splice(Math.floor(random() * all.length), 1),
    );
    return chosen.flat().sort((a, b) => a - b);
  }

  /** Answers what is wrong with what came of it. */
  async #one(point: FaultPoint, mode: string, what: string): Promise<string | undefined> {
    const disk = this.#start.clone(FIRST_INODE);
    // Of several processes each run has them in another order: what is met is the call with that number all the same.
    const schedule = this.#scenario.isConcurrent === true ? this.#runs : 0;
    const machine = new MemoryMachine(this.#scenario, disk, this.#seed, point, schedule);
    machine.said = process.env.KLOG_CRASH_PROMISED ?? '';
    onStray = (error) => machine.crash(error);
    await machine.run(this.#seed);
    this.#runs++;
    if (mode !== 'undisturbed' && point.hit === undefined) this.#missed++;
    const state: TreeState = {
      tree: treeOf(disk),
      said: machine.said,
      mode,
      rc: machine.status,
      hit: (point.hit ?? '').replace(`${this.#root}/`, ''),
      complained: machine.silent.length > 0 ? 0 : machine.complaint.length,
      warned: UPKEEP_FAILED.test(machine.complaint),
      settles: false,
    };
    const problem = await this.#judged(state);
    if (problem === undefined) return undefined;
    this.#fails++;
    if (values.keep !== undefined) keepTree(state, join(values.keep, what.replaceAll(/\W+/g, '-')));
    const complaint = machine.complaint.trim().split('\n').slice(0, 3).join(' / ');
    say(`FAIL ${what} (${state.hit}), exit ${state.rc}: ${complaint}\n  check: ${problem.replaceAll('\n', ' / ')}`);
    return problem;
  }

  /** Outcomes that are the same are judged once. */
  async #judged(state: TreeState): Promise<string | undefined> {
    const digest = digestOf(state);
    if (this.#verdicts.has(digest)) return this.#verdicts.get(digest);
    const every = Number(values['settle-every']);
    const settles = every > 0 && this.#distinct % every === 0;
    this.#judge.postMessage({ ...state, settles });
    const [{ problem, settleKills }] = (await once(this.#judge, 'message')) as [Verdict];
    this.#distinct++;
    this.#settleKills += settleKills;
    if (this.#verdicts.size === MOST_REMEMBERED) this.#verdicts.clear();
    this.#verdicts.set(digest, problem);
    return problem;
  }
}

function describe({ kind, at, isLasting, looks }: Fault): string {
  return `${kind}${isLasting ? ' lasting' : ''}${looks ? ' look' : ''} at call ${at}`;
}

/** Of all that the judge looks at: of the call only what kind of file it was for, and whether it was a sync. */
function digestOf({ tree, said, mode, rc, hit, complained, warned }: TreeState): string {
  const [call = '', path = ''] = hit.split(' ');
  const met = `${/^f(data)?sync$/.test(call) ? call : ''} ${path.replaceAll(/\d+/g, '0')}`;
  const hash = createHash('sha1').update(`${mode} ${rc} ${met} ${complained > 0} ${warned}\n${said}`);
  for (const [path, bytes] of tree) {
    hash.update(`\n${path} ${bytes?.length}\n`);
    if (bytes !== undefined) hash.update(bytes);
  }
  return hash.digest('base64');
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

// What nobody waits for ends a process; what a dead one had asked for was never answered.
let onStray = (_error: unknown): void => {};
for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error: unknown) => {
    if (!(error instanceof Killed)) onStray(error);
  });
}
// A failure that is looked after a turn too late is no news to anybody.
process.removeAllListeners('warning');
Error.stackTraceLimit = 0;
const scenario = SCENARIOS.find(({ name }) => name === positionals[0]);
if (scenario === undefined || values.judge === undefined) throw new Error('run-faults SCENARIO --judge PROGRAM');
const judge = new Worker(values.judge);
await once(judge, 'message');
process.exit((await new Runner(scenario, judge).run()) ? 0 : 1);
