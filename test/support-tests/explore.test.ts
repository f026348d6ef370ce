import { describe, expect, it } from 'vitest';
import {
  describeViolation,
  type Exploration,
  type ExploreOptions,
  explore,
  type Scenario,
  walk,
} from '../support/explore.js';
import { PromisedLog } from '../support/invariants.js';
import { appendToToy, TOY_DIRECTORY, type ToyFlaw, toyView } from './toy-log.js';

function toyScenario(writers: number, flaw?: ToyFlaw): Scenario {
  return {
    prepare(disk) {
      const setup = disk.process('setup');
      setup.makeDirectory('/data');
      setup.makeDirectory(TOY_DIRECTORY);
      setup.syncDirectory('/');
      setup.syncDirectory('/data');
    },
    build(world) {
      const log = new PromisedLog(world.disk, toyView);
      world.disk.observers.push(log.beforeWrite);
      world.afterEachStep(log.afterStep);
      world.atEnd(log.afterAll);
      let sends = 0;
      for (let writer = 1; writer <= writers; writer++) {
        world.spawn(`w${writer}`, async ({ fs }) => {
          const send = ++sends;
          try {
            const offset = await appendToToy(fs, send, flaw);
            log.acknowledged(offset, `send ${send}`);
          } catch (error) {
            // A failed sync or a full disk: nothing is acknowledged.
            if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
          }
        });
      }
    },
  };
}

const everything: ExploreOptions = {
  kills: 1,
  powerLosses: 1,
  failedSyncs: 1,
  evictions: 1,
  shortWrites: 1,
  faults: 1,
};

function expectHolds({ violation }: Exploration): void {
  expect(violation && describeViolation(violation)).toBeUndefined();
}

function expectCaught({ violation }: Exploration, message: RegExp): void {
  expect(violation?.message ?? 'no violation').toMatch(message);
}

/** Without the stack, which tells who asked. */
function told({ violation }: Exploration): string {
  return describeViolation({ ...violation!, error: undefined });
}

describe('exploring a toy log', () => {
  it('finds nothing wrong with two right writers, one preemption and one fault of any kind', async () => {
    const exploration = await explore(toyScenario(2), { ...everything, preemptions: 1, orders: 0, details: 0 });
    expectHolds(exploration);
    expect(exploration.complete).toBe(true);
    expect(exploration.schedules).toBeGreaterThan(200);
  });

  it('finds nothing wrong in random walks with many faults', async () => {
    expectHolds(await walk(toyScenario(3), { ...everything, kills: 2, powerLosses: 2, faults: 9, walks: 200 }));
  });

  const caught: [ToyFlaw, ExploreOptions, RegExp][] = [
    ['no sync', {}, /I5: offset 0 was acknowledged to send 1 and is not on the disk/],
    ['no directory sync', {}, /I5: offset 0 was acknowledged to send 1 and is not on the disk/],
    ['no lock', { preemptions: 1 }, /I1|I4/],
    ['acknowledge before sync', {}, /I5/],
    ['no look at the tail', { kills: 1 }, /I4: a write at (300|900) of 0.log, but the whole batches end at (0|600)/],
    ['sync again after a failed one', { failedSyncs: 1 }, /I5/],
    ['short write taken for whole', { shortWrites: 1 }, /I1: offset [01] was acknowledged and is not in the log/],
  ];
  for (const [flaw, options, message] of caught) {
    it(`catches: ${flaw}`, async () => {
      expectCaught(await explore(toyScenario(2, flaw), { preemptions: 0, ...options }), message);
    });
  }

  it('catches a missing lock and a missing look at the tail by random walks, too', async () => {
    expectCaught(await walk(toyScenario(2, 'no lock'), { walks: 200 }), /I1|I4/);
    expectCaught(await walk(toyScenario(2, 'no look at the tail'), { kills: 1, walks: 200 }), /I4/);
  });

  it('repeats a violation from the schedule that it names', async () => {
    const scenario = toyScenario(2, 'no lock');
    const options: ExploreOptions = { preemptions: 1, kills: 1 };
    const found = await explore(scenario, options);
    const { violation } = found;
    const again = await explore(scenario, { ...options, replay: violation!.replay });
    expect(violation!.replay).toMatch(/^schedule \d+:\d+/);
    expect(told(again)).toEqual(told(found));
    expect(violation!.trace).toMatch(/w1 +write toy-0\/0.log 0\+600/);
    const walked = await walk(scenario, { walks: 200 });
    expect(told(await explore(scenario, { replay: walked.violation!.replay }))).toEqual(told(walked));
  });

  it('visits the same schedules each time', async () => {
    const runs = await Promise.all([1, 2].map(() => explore(toyScenario(2), { ...everything, schedules: 300 })));
    expect(runs[0]).toEqual(runs[1]);
  });
});

describe('exploring', () => {
  it('reports a deadlock with who waits for what and who holds it', async () => {
    const lock = (start: number) => ({ start, length: 1 });
    const { violation } = await explore({
      build(world) {
        for (const [name, first, second] of [
          ['a', 1, 2],
          ['b', 2, 1],
        ] as const) {
          world.spawn(name, async ({ fs }) => {
            const file = await fs.open('/locks', 'create');
            await file.waitLock(lock(first));
            await file.waitLock(lock(second));
            await file.close();
          });
        }
      },
    });
    expect(violation?.message).toMatch(
      /deadlock: a waits for waitLock \/locks 2; b waits for waitLock \/locks 1; .* holds/,
    );
  });

  it('finds the one order of three that matters, where no process is preempted', async () => {
    const scenario: Scenario = {
      build(world) {
        const order: string[] = [];
        for (const name of ['a', 'b', 'c']) world.spawn(name, async () => order.push(name));
        world.atEnd(() => {
          if (order.join('') === 'cba') throw new Error('c, b, a');
        });
      },
    };
    const found = await explore(scenario, { preemptions: 0, orders: 2 });
    expect(found.violation?.message).toMatch(/c, b, a/);
    const bounded = await explore(scenario, { preemptions: 0, orders: 0 });
    expect(bounded).toEqual({ schedules: 1, complete: true, violation: undefined });
  });

  it('lets a reader meet a write half done', async () => {
    const seen = new Set<string>();
    await explore({
      build(world) {
        world.spawn('writer', async ({ fs }) => {
          const file = await fs.open('/x', 'create');
          await file.write(Buffer.from('abcd'), 0, 4, 0);
        });
        world.spawn('reader', async ({ fs }) => {
          const file = await fs.open('/x', 'create');
          const bytes = Buffer.alloc(4);
          seen.add(bytes.toString('latin1', 0, await file.read(bytes, 0, 4, 0)));
        });
      },
    });
    expect([...seen].sort()).toEqual(['', 'ab', 'abcd']);
  });

  it('ends a process that polls for ever by letting the others have their turn', async () => {
    const { violation, complete } = await explore(
      {
        build(world) {
          world.spawn('reader', async ({ fs }) => {
            while (!(await fs.stat('/x'))) {}
          });
          world.spawn('writer', async ({ fs }) => fs.open('/x', 'create'));
        },
      },
      { preemptions: 0, orders: 0 },
    );
    expect(violation).toBeUndefined();
    expect(complete).toBe(true);
  });

  it('wakes sleepers early, late, and in the order of their times', async () => {
    const orders = new Set<string>();
    await explore({
      build(world) {
        const order: string[] = [];
        world.spawn('sleeper', async ({ clock }) => {
          await clock.sleep(10);
          order.push('woke');
        });
        world.spawn('worker', async ({ fs }) => {
          await fs.stat('/x');
          order.push('worked');
        });
        world.atEnd(() => void orders.add(order.join(' ')));
      },
    });
    expect([...orders].sort()).toEqual(['woke worked', 'worked woke']);
  });

  it('gives up a run that does not end', async () => {
    const { violation } = await explore(
      {
        build(world) {
          world.spawn('poller', async ({ fs }) => {
            while (!(await fs.stat('/never'))) {}
          });
        },
      },
      { steps: 50 },
    );
    expect(violation?.message).toMatch(/no end after 50 steps/);
  });
});
