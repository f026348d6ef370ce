import { describe, expect, it } from 'vitest';
import { LockGate } from '../../src/storage/lock-gate.js';

function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

describe('LockGate', () => {
  it('is closed at once when nobody is inside, and lets in when it is open again', async () => {
    const gate = new LockGate();
    await gate.close();
    const log: string[] = [];
    const run = gate.run(async () => log.push('in'));
    await turns();
    expect(log).toEqual([]);
    gate.open();
    await run;
    expect(log).toEqual(['in']);
  });

  it('waits for those inside, failed or not, and for what they run inside, but lets in nobody else', async () => {
    const gate = new LockGate();
    const log: string[] = [];
    const [first, second] = [deferred(), deferred()];
    const failing = gate.run(async () => {
      await first.promise;
      throw new Error('it failed');
    });
    const running = gate.run(async () => {
      await second.promise;
      await gate.runPerhapsInside(async () => log.push('nested'));
    });
    const closed = gate.close().then(() => log.push('closed'));
    const late = gate.run(async () => log.push('late'));
    first.resolve();
    await expect(failing).rejects.toThrow('it failed');
    await turns();
    expect(log).toEqual([]);
    second.resolve();
    await Promise.all([running, closed]);
    const alone = gate.runPerhapsInside(async () => log.push('alone'));
    await turns();
    expect(log).toEqual(['nested', 'closed']);
    gate.open();
    await Promise.all([late, alone]);
    expect(log.slice(2).sort()).toEqual(['alone', 'late']);
  });

  it('gives up closing when it is opened meanwhile', async () => {
    const gate = new LockGate();
    const work = deferred();
    const running = gate.run(() => work.promise);
    const closing = gate.close();
    gate.open();
    await closing;
    await gate.run(async () => {});
    work.resolve();
    await running;
  });
});
