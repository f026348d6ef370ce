import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runLogCheck } from '../../../src/cli/log/run-log-check.js';
import { runLogRepair } from '../../../src/cli/log/run-log-repair.js';
import type { FileSystem } from '../../../src/storage/file-system.js';
import { interpose } from '../../store/interposed-file-system.js';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { FakeContext, run } from '../support/fake-context.js';
import { makePartition } from './own-partition.js';

/** Three segments, with a bad byte in each of those whose number is named. */
async function withPartition(damaged: readonly number[], use: (directory: string, data: string) => Promise<void>) {
  await inTemporaryDirectory(async (data) => {
    const { directory, log, append } = await makePartition(data, 't', 0, 9000);
    for (let i = 0; i < 12; i++) await append([`v${i}`.padEnd(2000)]);
    await log.close();
    const names = readdirSync(directory)
      .filter((name) => name.endsWith('.log'))
      .sort();
    expect(names).toHaveLength(3);
    for (const at of damaged) {
      const bytes = readFileSync(join(directory, names[at]!));
      bytes.writeUInt8(0, 500);
      writeFileSync(join(directory, names[at]!), bytes);
    }
    await use(directory, data);
  });
}

/** Ctrl-C comes when a call is made that `isMoment`. */
function interruptedAt(isMoment: (call: { name: string; path: string }) => boolean): [FileSystem, FakeContext] {
  const context = new FakeContext({ now: 1 });
  const fs = interpose((call) => {
    if (isMoment(call)) context.interrupt('SIGINT');
  });
  return [fs, context];
}

const atSegment = (base: string) => {
  return ({ name, path }: { name: string; path: string }) => name === 'read' && path.endsWith(`${base}.log`);
};
const optionsOf = (directory: string, json: boolean) => {
  return { operands: [directory], yes: true, json, quiet: true, verbose: false };
};

describe('what was interrupted is not said to be good', () => {
  it('by a check', async () => {
    await withPartition([2], async (directory) => {
      const [fs, context] = interruptedAt(atSegment('04'));
      await runLogCheck(optionsOf(directory, false), context, fs);
      await context.stdout.flush();
      expect(context.out).toMatch(/^t:0: interrupted, 1 segment, 4 batches, \d+ bytes\n$/);
      const [again, json] = interruptedAt(atSegment('04'));
      await runLogCheck(optionsOf(directory, true), json, again);
      await json.stdout.flush();
      expect(JSON.parse(json.out)).toMatchObject({ ok: false, partitions: [{ ok: false, batches: 4, problems: [] }] });
    });
  });

  it('by a check that has already met damage: that is told', async () => {
    await withPartition([0], async (directory) => {
      const [fs, context] = interruptedAt(atSegment('04'));
      await expect(runLogCheck(optionsOf(directory, false), context, fs)).rejects.toThrow(/is damaged at position 0/);
      await context.stdout.flush();
      expect(context.out).toMatch(/^t:0: damaged, /);
    });
  });

  it.each([[false], [true]])('by a repair whose last look was cut short (JSON: %s)', async (isJson) => {
    await withPartition([0], async (directory) => {
      let isInPlace = false;
      const [fs, context] = interruptedAt(({ name, path }) => {
        if (name === 'rename' && path.endsWith('.log.swap')) isInPlace = true;
        return isInPlace && name === 'read' && path.endsWith('08.log');
      });
      await runLogRepair(optionsOf(directory, isJson), context, fs);
      await context.stdout.flush();
      if (isJson) expect(JSON.parse(context.out)).toMatchObject([{ repaired: true, ok: false }]);
      else expect(context.out).toMatch(/ {2}repaired: interrupted before all of it was looked at again\n$/);
      expect((await run(['log', 'check', directory])).code).toBe(0);
    });
  });

  it('by the doctor', async () => {
    await withPartition([2], async (_directory, data) => {
      const { out } = await run(['doctor'], { env: { KLOG_DIR: data }, now: 1, interrupted: 'SIGINT' });
      expect(out).toMatch(/log\tinterrupted before all of it was looked at/);
      expect(out).not.toMatch(/are good/);
    });
  });
});
