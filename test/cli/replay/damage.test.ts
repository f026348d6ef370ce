import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { numbered, type RealLog, withLog } from '../support/real-log.js';

/** Flips a byte of the value in the second batch of t-0. */
function damageSecondBatch(log: RealLog): void {
  const path = join(log.directory, 'log', 't-0', '00000000000000000000.log');
  const bytes = readFileSync(path);
  const second = 12 + bytes.readInt32BE(8);
  bytes[second + 70]! ^= 0xff;
  writeFileSync(path, bytes);
}

const withDamage = (use: (log: RealLog) => Promise<void>) =>
  withLog(async (log) => {
    await log.createTopic('t');
    await log.produce(numbered('t', 4));
    damageSecondBatch(log);
    await use(log);
  });

describe('damage on the way to another place', () => {
  it('ends a replay with 7, after everything before it', () =>
    withDamage(async (log) => {
      const { code, out, err } = await log.run('replay t');
      expect({ code, out }).toEqual({ code: 7, out: 'v0\n' });
      expect(err).toContain('--skip-corrupt');
    }));

  it('is passed over with --skip-corrupt, and counted', () =>
    withDamage(async (log) => {
      const { code, out, err } = await log.run('replay t --skip-corrupt');
      expect({ code, out }).toEqual({ code: 0, out: 'v0\nv2\nv3\n' });
      expect(err).toMatch(/^passed over \d+ bytes of t:0 from offset 1 on: .*\npassed over 1 damaged place\n$/);
    }));

  it.each([
    ['copy t u', 'copied'],
    ['replay t --into u', 'replayed'],
  ])('%s: keeps and tells what went over before it; goes on behind it when told to', (line, verb) =>
    withDamage(async (log) => {
      const failed = await log.run(line);
      expect(failed.code).toBe(7);
      expect(failed.err).toContain(`${verb} 1 record before the failure\nklog: `);
      expect((await log.run('consume u')).out).toBe('v0\n');
      const passed = await log.run(`${line} --skip-corrupt`);
      expect(passed.code).toBe(0);
      expect(passed.err).toContain(`${verb} 3 records from 't' `);
      expect(passed.err).toContain('passed over 1 damaged place\n');
      expect((await log.run('consume u')).out).toBe('v0\nv0\nv2\nv3\n');
    }),
  );
});

describe('klog copy --dry-run', () => {
  it('says in JSON, too, what would be made', () =>
    withLog(async (log) => {
      await log.createTopic('t', 2);
      const { code, out } = await log.run('copy t u --dry-run --json');
      expect(code).toBe(0);
      expect(JSON.parse(out)).toEqual({ source: 't', target: 'u', partitions: 2, exists: false });
      expect((await log.run('topic list')).out).toBe('t\t2\n');
    }));
});
