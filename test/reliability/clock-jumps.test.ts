/**
 * Whole commands while the wall clock jumps, by libfaketime (Debian: faketime). Timers and the time since the start of
 * the machine go on as they are.
 */
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { finished, klog, startKlog } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const LIBRARY = ['x86_64-linux-gnu/faketime', 'aarch64-linux-gnu/faketime', 'faketime']
  .map((place) => `/usr/lib/${place}/libfaketime.so.1`)
  .find((path) => existsSync(path));
const HOUR = 3_600_000;
const TOPIC = 't';

/** Where the clock stands, and what is written then. */
const JUMPS = ['+0', '-5h', '+0', '+1000d', '-3650d', '+2h', '+3650d', '+0'];

interface Work {
  readonly options: { readonly cwd: string; readonly env: Record<string, string> };
  setClock(offset: string): void;
}

function withClock<T>(use: (work: Work) => Promise<T>): Promise<T> {
  return inTemporaryDirectory(async (cwd) => {
    const clock = join(cwd, 'clock');
    const setClock = (offset: string) => writeFileSync(clock, `${offset}\n`);
    setClock('+0');
    const env = {
      HOME: cwd,
      LD_PRELOAD: LIBRARY!,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    return await use({ options: { cwd, env }, setClock });
  });
}

function segmentsIn(cwd: string): number {
  return readdirSync(join(cwd, '.klog', 'log', `${TOPIC}-0`)).filter((name) => name.endsWith('.log')).length;
}

async function mustHoldAll({ options }: Work, lines: readonly string[]): Promise<string[]> {
  const { code, out } = await klog(['consume', TOPIC, '-f', '%o %v %d\\n'], options);
  expect(code).toBe(0);
  const found = out.trim().split('\n');
  expect(found.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(lines.map((line, i) => `${i} ${line}`));
  expect((await klog(['log', 'check', TOPIC], options)).code).toBe(0);
  return found;
}

describe.skipIf(LIBRARY === undefined)('a wall clock that jumps (needs libfaketime)', { timeout: 60_000 }, () => {
  const configs = ['-c', `segment.ms=${HOUR}`, '-c', `retention.ms=${7 * 24 * HOUR}`];

  it('under a producer: offsets stay dense, segments roll, nothing is deleted', async () => {
    await withClock(async (work) => {
      const { options, setClock } = work;
      await klog(['topic', 'create', TOPIC, ...configs], options);
      const child = startKlog(['produce', TOPIC, '--linger', '1ms', '--report', '%o\\n'], options);
      const ending = finished(child);
      const lines: string[] = [];
      for (const [step, offset] of JUMPS.entries()) {
        setClock(offset);
        for (let i = 0; i < 3; i++) {
          lines.push(`${step}:${i}`);
          const stored = once(child.stdout!, 'data');
          child.stdin!.write(`${step}:${i}\n`);
          await stored;
        }
      }
      child.stdin!.end();
      expect((await ending).code).toBe(0);
      const found = await mustHoldAll(work, lines);
      const times = found.map((line) => Number(line.split(' ')[2]));
      // It did jump.
      expect(times[3]! - times[2]!).toBeLessThan(-4 * HOUR);
      expect(times[9]! - times[8]!).toBeGreaterThan(900 * 24 * HOUR);
      expect(segmentsIn(options.cwd)).toBeGreaterThan(1);
    });
  });

  it('between commands: nothing is deleted, not even by the first one that would', async () => {
    await withClock(async (work) => {
      const { options, setClock } = work;
      const lines: string[] = [];
      for (const [step, offset] of ['+0', '+3650d', '+3651d', '-1d', '+0'].entries()) {
        setClock(offset);
        // The topic comes with its default retention of seven days.
        const { code } = await klog(['produce', '-q', TOPIC], { ...options, input: `${step}:0\n${step}:1\n` });
        expect(code).toBe(0);
        lines.push(`${step}:0`, `${step}:1`);
      }
      await mustHoldAll(work, lines);
      expect(segmentsIn(options.cwd)).toBeGreaterThan(1);
    });
  });

  it('without a jump the same retention deletes: the tests above can fail', async () => {
    await withClock(async ({ options }) => {
      await klog(['topic', 'create', TOPIC, '-c', 'retention.ms=1', '-c', 'segment.bytes=100'], options);
      for (let i = 0; i < 3; i++) {
        await klog(['produce', '-q', TOPIC], { ...options, input: `${'x'.repeat(60)}\n` });
        await sleep(20);
      }
      const { out } = await klog(['topic', 'offsets', TOPIC, '--json'], options);
      expect(JSON.parse(out)[0].startOffset).toBeGreaterThan(0);
    });
  });

  it('under a reader that follows: it waits as long as it was told to', async () => {
    await withClock(async ({ options, setClock }) => {
      await klog(['produce', '-q', TOPIC], { ...options, input: 'first\n' });
      const child = startKlog(['consume', TOPIC, '-n', '3', '--timeout', '20s'], options);
      const ending = finished(child);
      await once(child.stdout!, 'data');
      for (const offset of ['+1000d', '-1000d']) {
        setClock(offset);
        await klog(['produce', '-q', TOPIC], { ...options, input: `at ${offset}\n` });
      }
      const { code, out } = await ending;
      expect({ code, out }).toEqual({ code: 0, out: 'first\nat +1000d\nat -1000d\n' });
    });
  });
});
