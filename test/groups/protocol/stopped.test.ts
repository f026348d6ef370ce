/** The wrong variants of the group model that take a process that is stopped, or overtaken, at one certain moment. */
import { describe, expect, it } from 'vitest';
import { runScript, type Scheduler } from '../../support/scheduler.js';
import type { SimulatedCall } from '../../support/simulated-call.js';
import { SimulatedDisk } from '../../support/simulated-disk.js';
import { type GroupScenario, type GroupsModule, GroupWorld, prepareGroups } from './group-scenario.js';
import { flawedGroups, rightGroups } from './variant.js';

interface Stage {
  readonly s: Scheduler;
  readonly group: GroupWorld;
  /**
   * Lets only this process run, until the condition holds. Calls in `not` it does not get to, its timers fire
   * meanwhile. False: it never does.
   */
  run(name: string, until: () => boolean, not?: (call: SimulatedCall) => boolean): Promise<boolean>;
  stands(name: string, before: string): () => boolean;
  ended(name: string): () => boolean;
}

const STEPS = 600;

async function play(
  groups: GroupsModule,
  options: GroupScenario,
  script: (stage: Stage) => Promise<void>,
): Promise<void> {
  const disk = new SimulatedDisk();
  await prepareGroups(disk);
  const group = new GroupWorld(groups, options);
  await runScript(disk, async (s) => {
    for (let i = 1; i <= options.members; i++) s.spawn(`m${i}`, group.member);
    await script({
      s,
      group,
      async run(name, until, not = () => false) {
        for (let steps = 0; !until(); steps++) {
          const task = s.task(name);
          if (task.progress === 'failed') throw task.error;
          const call = task.parked.find((one) => one.ready && !not(one));
          const timer = s.clock.timers.find(({ process }) => process === task.context.fs);
          if (steps === STEPS || (call === undefined && timer === undefined)) return false;
          if (call !== undefined) await s.grant(call);
          else await s.make({ kind: 'timer', task, timer: timer! });
        }
        return true;
      },
      stands: (name, before) => () =>
        s.task(name).parked.some((call) => call.name === 'wait' && call.path.startsWith(before)),
      ended: (name) => () => s.task(name).progress !== 'running',
    });
  });
}

function describeScript(
  title: string,
  flaw: string,
  options: GroupScenario,
  script: (stage: Stage) => Promise<void>,
  caught: RegExp,
): void {
  describe(`${flaw}: ${title}`, () => {
    it('holds without the flaw', async () => {
      await play(await rightGroups(), options, script);
    });

    it('is caught', async () => {
      await expect(play(await flawedGroups(flaw), options, script)).rejects.toThrow(caught);
    });
  });
}

const isLook = (call: SimulatedCall) => call.path === 'records';

describeScript(
  'a free lock is enough to begin, at the offset that was read last',
  'FREE_LOCK_START',
  { members: 2, partitions: 2, records: 2, commit: 'each' },
  async ({ s, group, run, stands }) => {
    await run('m1', () => group.committed.get('t:0') === 2);
    await run('m2', stands('m2', 'work'));
    // m1 releases what is m2's now, m2 handles a record of it and commits; of that m1 hears nothing.
    await run('m1', () => group.heldBy('m1') === 1);
    await run('m2', () => group.committed.get('t:1') === 1);
    s.kill('m2');
    expect(await run('m1', () => group.isDone, isLook)).toBe(true);
  },
  /which is committed|takes the commit/,
);

describeScript(
  'whoever holds a lock is a member, also one that was evicted',
  'PROBE_MEMBERS',
  { members: 2, partitions: 3, partitionsAtFirst: 2, records: 2, commit: 'each' },
  async ({ s, group, run, stands }) => {
    await run('m1', stands('m1', 'handling'));
    await run('m2', stands('m2', 'work'));
    // m2 has seen m1 alive; m1 is stopped from here on.
    const now = s.disk.nowMs;
    await run('m2', () => s.disk.nowMs > now + 300);
    s.spawn('evictor0', group.evictor);
    await s.finish('evictor0');
    group.partitions = 3;
    await run('m2', () => group.committed.get('t:2') === 2);
    // It goes on.
    await run('m1', () => s.task('m1').progress !== 'running');
    expect(s.task('m1').progress).toBe('done');
  },
  /was evicted and/,
);

describeScript(
  'only the successor in the ring looks at a member',
  'RING_ONLY',
  { members: 3, partitions: 3, records: 1 },
  async ({ s, group, run, stands }) => {
    for (const name of ['m1', 'm2', 'm3']) await run(name, stands(name, 'work'));
    for (const name of ['m1', 'm2', 'm3']) await run(name, stands(name, 'work'));
    // m2 would be the first to look at m1, and is stopped.
    s.kill('m1');
    const isTaken = () => group.heldBy('m1') === 0;
    if (!(await run('m3', isTaken))) throw new Error('nobody notices that m1 is dead');
  },
  /nobody notices/,
);

describeScript(
  'a lock is held over the steps of a decision, which evict needs, too',
  'COORDINATOR_LOCK',
  { members: 2, partitions: 2, partitionsAtFirst: 1, records: 1 },
  async ({ s, group, run, stands, ended }) => {
    await run('m1', () => group.committed.get('t:0') === 1);
    await run('m1', stands('m1', 'work'));
    group.partitions = 2;
    // It is about to say that there are more, and is stopped.
    await run('m1', stands('m1', 'append'));
    s.spawn('evictor0', group.evictor);
    if (!(await run('evictor0', ended('evictor0')))) throw new Error('evict comes to no end');
    expect(group.heldBy('m1')).toBe(0);
  },
  /comes to no end/,
);
