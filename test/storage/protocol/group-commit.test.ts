/**
 * Who waits for a sync that another process leads, and who leads the next. Invariants over all schedules are in
 * core.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { CONTROL_RECORD_SIZE } from '../../../src/storage/control-record.js';
import { GATES_RANGE } from '../../../src/storage/leader-gates.js';
import { DEFAULT_LOG_CONFIG } from '../../../src/storage/log-config.js';
import { SYNC_RANGE } from '../../../src/storage/partition-locks.js';
import { PartitionLog } from '../../../src/storage/partition-log.js';
import { type ProcessBody, runScript, type Scheduler } from '../../support/scheduler.js';
import type { SimulatedCall } from '../../support/simulated-call.js';
import { SimulatedDisk } from '../../support/simulated-disk.js';
import { isControlWrite, isDataSync } from './calls.js';
import { batchOf, controlOf, DIRECTORY, preparePartition } from './partition-scenario.js';

const isWaitFor =
  (start: number) =>
  ({ name, position }: SimulatedCall) =>
    name === 'waitLock' && position === start;
const isWait = ({ name }: SimulatedCall) => name === 'waitLock';
const waitsForSyncLock = isWaitFor(SYNC_RANGE.start);
const isLook = ({ name, length }: SimulatedCall) => name === 'read' && length > CONTROL_RECORD_SIZE;
const isWriteOfAppended = (call: SimulatedCall) => isControlWrite(call) && call.position < 1024;
const waitsAtGate = (call: SimulatedCall) =>
  isWait(call) && call.position >= GATES_RANGE.start && call.position < GATES_RANGE.start + GATES_RANGE.length;

interface Stage {
  readonly s: Scheduler;
  /** In this order. */
  readonly acknowledged: string[];
  readonly failed: Map<string, string>;
  /** How often this was done since all had the log open. */
  times(what: RegExp): number;
}

/** Writers w1, w2, …, all of which have the log open, each with one batch to append and to wait for. */
async function play(writers: number, script: (stage: Stage) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk();
  await preparePartition(disk);
  const acknowledged: string[] = [];
  const failed = new Map<string, string>();
  let opened = 0;
  const writer: ProcessBody = async ({ name, fs, clock, wait }) => {
    const options = { topic: 't', partition: 0, config: DEFAULT_LOG_CONFIG, lockWaitMs: Number.POSITIVE_INFINITY };
    const log = await PartitionLog.open(fs, DIRECTORY, { ...options, clock });
    opened++;
    await wait('all writers', () => opened === writers);
    try {
      await log.durable(await log.append([batchOf(`send ${name.slice(1)}`)]));
      acknowledged.push(name);
      await wait('told', () => true);
    } catch (error) {
      failed.set(name, (error as { code: string }).code);
    }
    await log.close();
  };
  await runScript(disk, async (s) => {
    const names = Array.from({ length: writers }, (_, i) => `w${i + 1}`);
    for (const name of names) {
      s.spawn(name, writer);
      await s.until(name, ({ name: call }) => call === 'wait');
    }
    disk.trace = [];
    const times = (what: RegExp) => (disk.trace ?? []).filter((entry) => what.test(entry.what)).length;
    await script({ s, acknowledged, failed, times });
    const { appended, safe, syncing } = controlOf(disk, DIRECTORY);
    expect({ safe: safe?.offset, syncing }).toEqual({ safe: appended?.offset, syncing: false });
  });
}

/** w1 stands before its sync, w2 is to lead the next, and the others wait for that. */
async function assemble({ s }: Stage, writers: number): Promise<void> {
  await s.until('w1', isDataSync);
  await s.until('w2', waitsForSyncLock);
  for (let i = 3; i <= writers; i++) await s.until(`w${i}`, waitsAtGate);
}

const DATA_SYNC = /^sync .*\.log/;
const WAIT = /^waitLock/;

describe('those who append while a sync runs', () => {
  it('are covered by one more, let in together, and have waited once each', () =>
    play(6, async (stage) => {
      const { s, acknowledged, times } = stage;
      await assemble(stage, 6);
      await s.finishAll();
      expect(acknowledged).toHaveLength(6);
      expect(times(DATA_SYNC)).toBe(2);
      expect(times(WAIT)).toBe(5);
    }));

  it('do not wait for each other once it is through', () =>
    play(5, async (stage) => {
      const { s, acknowledged } = stage;
      await assemble(stage, 5);
      await s.finish('w1');
      await s.finish('w2');
      // The last ones first: w3, who was the first to wait, does not move.
      await s.finish('w5');
      await s.finish('w4');
      expect(acknowledged).toEqual(['w1', 'w2', 'w5', 'w4']);
      await s.finishAll();
    }));

  it('before its leader has looked at A are covered by that very sync', () =>
    play(3, async ({ s, acknowledged, times }) => {
      await s.until('w1', isWriteOfAppended);
      await s.step('w1');
      await s.until('w1', isLook);
      await s.until('w2', waitsForSyncLock);
      await s.until('w3', waitsAtGate);
      await s.finishAll();
      expect(acknowledged).toHaveLength(3);
      expect(times(DATA_SYNC)).toBe(1);
    }));
});

describe('the death of', () => {
  it.each([
    ['the leader in its sync', 'w1'],
    ['who is to lead the next', 'w2'],
    ['one of those who wait', 'w3'],
  ])('%s lets the others go on', (_, victim) =>
    play(5, async (stage) => {
      const { s, acknowledged } = stage;
      await assemble(stage, 5);
      s.kill(victim);
      await s.finishAll();
      const others = ['w1', 'w2', 'w3', 'w4', 'w5'].filter((name) => name !== victim);
      expect([...acknowledged].sort()).toEqual(others);
    }),
  );
});

it('a sync that fails is known by its leader alone, and the others settle', () =>
  play(4, async (stage) => {
    const { s, acknowledged, failed } = stage;
    await assemble(stage, 4);
    await s.failSync('w1');
    await s.finishAll();
    expect([...failed]).toEqual([['w1', 'KLOG_SYNC_FAILED']]);
    expect([...acknowledged].sort()).toEqual(['w2', 'w3', 'w4']);
  }));

it('a writer alone takes each lock once, for two looks and five writes', () =>
  play(1, async ({ s, times }) => {
    await s.until('w1', ({ name, path }) => name === 'wait' && path === 'told');
    expect(times(/^tryLock/)).toBe(['queue', 'append', 'sync', 'gate'].length);
    expect(times(/^read /)).toBe(2);
    expect(times(/^stat /)).toBe(2);
    expect(times(/^write /)).toBe(5);
    await s.finishAll();
  }));
