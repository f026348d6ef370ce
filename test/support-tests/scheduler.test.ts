import { describe, expect, it } from 'vitest';
import { allKept } from '../support/chooser.js';
import { runScript, Scheduler } from '../support/scheduler.js';
import { SimulatedDisk } from '../support/simulated-disk.js';

const range = { start: 0, length: 1 };

describe('a scripted run', () => {
  it('stops a process before the call that was asked for', async () => {
    const disk = new SimulatedDisk();
    await runScript(disk, async (s) => {
      s.spawn('w', async ({ fs }) => {
        const file = await fs.open('/a', 'create');
        await file.write(Buffer.from('x'), 0, 1, 0);
        await file.sync();
        return 'done';
      });
      const call = await s.until('w', (it) => it.name === 'sync');
      expect(call.path).toBe('/a');
      expect(disk.bytes('/a')).toHaveLength(1);
      expect(disk.bytes('/a', 'durable')).toBeUndefined();
      expect(await s.finish('w')).toBe('done');
      expect(s.traceText()).toBe(
        ['w  start w  ok', 'w  open /a  ok', 'w  write /a 0+1  ok', 'w  sync /a  ok', 'w  done']
          .map((line, i) => `   ${i + 1}  ${line}`)
          .join('\n'),
      );
    });
  });

  it('shows others the first half of a torn write, and kills in the middle of it', async () => {
    const disk = new SimulatedDisk();
    await runScript(disk, async (s) => {
      s.spawn('w', async ({ fs }) => {
        const file = await fs.open('/a', 'create');
        return file.write(Buffer.from('abcd'), 0, 4, 0);
      });
      await s.until('w', (call) => call.name === 'write');
      await s.tearWrite('w', 3);
      expect(Buffer.from(disk.bytes('/a')!).toString()).toBe('abc');
      expect(await s.finish('w')).toBe(4);
      s.spawn('w', async ({ fs, life }) => {
        const file = await fs.open('/b', 'create');
        return file.write(Buffer.from(`life ${life}`), 0, 6, 0);
      });
      await s.until('w', (call) => call.name === 'write');
      await s.tearWrite('w');
      s.kill('w');
      expect(Buffer.from(disk.bytes('/b')!).toString()).toBe('lif');
    });
  });

  it('fails syncs, gives short writes and errors', async () => {
    const disk = new SimulatedDisk();
    await runScript(disk, async (s) => {
      const outcomes: unknown[] = [];
      s.spawn('w', async ({ fs }) => {
        const file = await fs.open('/a', 'create');
        outcomes.push(await file.write(Buffer.from('abcd'), 0, 4, 0));
        for (const call of [() => file.sync(), () => file.write(Buffer.from('x'), 0, 1, 0)]) {
          try {
            await call();
          } catch (error) {
            outcomes.push((error as NodeJS.ErrnoException).code);
          }
        }
      });
      await s.until('w', (call) => call.name === 'write');
      await s.shortWrite('w', 2);
      await s.failSync('w', allKept);
      await s.fail('w', 'ENOSPC');
      await s.finish('w');
      expect(outcomes).toEqual([2, 'EIO', 'ENOSPC']);
      expect(disk.file('/a')!.durableBytes).toHaveLength(2);
    });
  });

  it('frees the locks of the killed, and a waiter then goes on', async () => {
    await runScript(new SimulatedDisk(), async (s) => {
      for (const name of ['a', 'b']) {
        s.spawn(name, async ({ fs }) => {
          const file = await fs.open('/lock', 'create');
          await file.waitLock(range);
          await fs.stat(`/${name} has it`);
          return name;
        });
      }
      await s.until('a', (call) => call.name === 'stat');
      await s.until('b', (call) => call.name === 'waitLock');
      await expect(s.step('b')).rejects.toThrow(/b cannot go on .* b waits for waitLock .* a holds 0 of \/lock/);
      s.kill('a');
      expect(await s.finish('b')).toBe('b');
    });
  });

  it('lets sleepers sleep until nobody else can go on, and moves the clock to their time', async () => {
    const disk = new SimulatedDisk();
    const began = disk.nowMs;
    await runScript(disk, async (s) => {
      const woke: string[] = [];
      for (const [name, ms] of [
        ['late', 60_000],
        ['early', 5],
      ] as const) {
        s.spawn(name, async ({ clock }) => {
          await clock.sleep(ms);
          woke.push(`${name} at ${clock.now() - began}`);
        });
      }
      await s.finishAll();
      expect(woke).toEqual(['early at 5', 'late at 60000']);
    });
  });

  it('tells watchers of a change when their turn comes, once for several changes', async () => {
    await runScript(new SimulatedDisk(), async (s) => {
      let told = 0;
      s.spawn('w', async ({ fs }) => {
        const file = await fs.open('/a', 'create');
        await fs.stat('/ready');
        for (let i = 0; i < 3; i++) await file.write(Buffer.from('x'), 0, 1, i);
      });
      await s.until('w', (call) => call.name === 'stat');
      s.spawn('r', ({ fs }) => new Promise((resolve) => fs.watch('/a', () => resolve(++told))));
      await s.step('r');
      await s.finish('w');
      expect(told).toBe(0);
      expect(await s.finish('r')).toBe(1);
    });
  });

  it('ends all processes at a power loss, and the next life finds what the disk kept', async () => {
    const disk = new SimulatedDisk();
    await runScript(disk, async (s) => {
      const write = async () => {
        s.spawn('w', async ({ fs, life }) => {
          const file = await fs.open('/a', 'create');
          await fs.syncDirectory('/');
          await file.write(Buffer.from(String(life)), 0, 1, life);
          await file.sync();
          await fs.stat('/end');
        });
        await s.until('w', (call) => call.name === 'stat');
      };
      await write();
      s.powerLoss();
      expect(s.task('w').progress).toBe('killed');
      await write();
      expect(Buffer.from(disk.bytes('/a', 'durable')!).toString()).toBe('01');
    });
  });

  it('tells the whole story when it fails', async () => {
    const script = runScript(new SimulatedDisk(), async (s) => {
      s.spawn('w', async ({ fs }) => fs.open('/missing', 'read'));
      await s.finishAll();
    });
    await expect(script).rejects.toThrow(
      /ENOENT: no such file[\s\S]*1 {2}w {2}start w {2}ok\n.*open \/missing {2}ENOENT/,
    );
  });

  it('notices a process that waits for nothing it knows', async () => {
    const s = new Scheduler(new SimulatedDisk());
    s.spawn('w', () => new Promise(() => {}));
    await expect(s.finishAll()).rejects.toThrow(/w waits for something that is no file call, timer or watch/);
  });

  it('gives a process the turns it needs between two calls', async () => {
    const s = new Scheduler(new SimulatedDisk());
    s.spawn('w', async ({ fs }) => {
      for (let i = 0; i < 5; i++) await new Promise(setImmediate);
      return fs.stat('/x');
    });
    await s.step('w');
    expect(s.task('w').parked.map((call) => call.name)).toEqual(['stat']);
  });
});
