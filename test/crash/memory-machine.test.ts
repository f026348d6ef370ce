import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { type Fault, FaultPoint } from './rig/fault-point.js';
import { judge } from './rig/judge.js';
import { MemoryDisk } from './rig/memory-disk.js';
import { MemoryMachine } from './rig/memory-machine.js';
import { SCENARIOS } from './scenarios/index.js';
import { DATA } from './scenarios/scenario.js';

async function run(name: string, fault?: Fault) {
  const root = temporaryDirectory();
  mkdirSync(join(root, DATA));
  const disk = new MemoryDisk(root, new Map(), 1000);
  const point = new FaultPoint(fault);
  const machine = new MemoryMachine(SCENARIOS.find((one) => one.name === name)!, disk, 1, point);
  await machine.run(1);
  const { said, status: rc, complaint } = machine;
  const hit = (point.hit ?? '').replace(`${root}/`, '');
  const state = {
    disk: disk.at('/state'),
    said,
    rc,
    hit,
    mode: fault?.kind ?? 'undisturbed',
    complained: complaint.length,
  };
  return { point, machine, state };
}

describe('a scenario in memory', () => {
  it.each(['roll', 'group-commit', 'klog-topic-create'])(
    'makes the same calls each time and keeps its promises: %s',
    async (name) => {
      const [one, other] = [await run(name), await run(name)];
      expect(one.machine.said).toContain('done\n');
      expect(other.machine.said).toBe(one.machine.said);
      expect(other.point.changes).toBe(one.point.changes);
      expect(await judge(one.state)).toBeUndefined();
    },
    // The command line is many small modules to load.
    20_000,
  );

  it('fails, says so and leaves a good log when a call fails, whichever it is', async () => {
    const { point } = await run('one-by-one');
    for (let at = 1; at <= point.changes; at += 11) {
      const { machine, state } = await run('one-by-one', { kind: 'eio', at, isLasting: false, looks: false });
      expect(machine.status, state.hit).toBe(1);
      expect(await judge(state), state.hit).toBeUndefined();
    }
  });

  it('goes on with the other processes when one is killed, which gives back its locks', async () => {
    const { point } = await run('group-commit');
    let others = 0;
    for (let at = 60; at <= point.changes; at += 20) {
      const { machine, state } = await run('group-commit', { kind: 'kill-one', at, isLasting: false, looks: false });
      expect(machine.said).not.toContain('done');
      expect(await judge(state), state.hit).toBeUndefined();
      if (point.changes - at > 30 && state.said.trimEnd().split('\n').length > 20) others++;
    }
    expect(others).toBeGreaterThan(0);
  });

  it('is judged: what is lost, or told without being done, is noticed', async () => {
    const { state } = await run('one-by-one');
    const last = state.said.trimEnd().split('\n').at(-2)!;
    expect(await judge({ ...state, said: state.said.replace(last, `${last}0`) })).toMatch(/exchanged|lost/);
    expect(await judge({ ...state, hit: 'fdatasync data/log/orders-0/x.log', mode: 'eio' })).toMatch(/exit 0 after/);
  });
});
