import { mkdirSync, readdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runLogRepair } from '../../../src/cli/log/run-log-repair.js';
import { nodeFileSystem } from '../../../src/storage/file-system-node.js';
import { DEFAULT_LOG_CONFIG } from '../../../src/storage/log-config.js';
import { PartitionLog } from '../../../src/storage/partition-log.js';
import { interpose } from '../../store/interposed-file-system.js';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { FakeContext, run } from '../support/fake-context.js';
import { makePartition } from './own-partition.js';

/** From one death to the next; `npm run bitflips` dies at each call. */
const STEP = process.env.BITFLIPS === 'all' ? 1 : 4;

/** Calls that change something. */
const CHANGES = new Set([
  'write',
  'truncate',
  'rename',
  'unlink',
  'syncDirectory',
  'sync',
  'open create',
  'open create-new',
]);

/** The files' contents put back as they were; klog.end stays the file that it is, which is what makes its S count. */
function restore(directory: string, files: ReadonlyMap<string, Buffer>): void {
  for (const name of readdirSync(directory)) if (!files.has(name)) unlinkSync(join(directory, name));
  for (const [name, bytes] of files) {
    const path = join(directory, name);
    if (name === 'klog.end') truncateSync(path, 0);
    writeFileSync(path, bytes);
  }
}

async function valuesIn(directory: string): Promise<string[]> {
  const { out } = await run(['log', 'dump', directory, '--records', '--json']);
  const lines = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return lines.filter(({ type }) => type === 'record').map(({ offset, value }) => `${offset}:${value.trim()}`);
}

describe('a repair that is killed at any of its calls', () => {
  it.each([
    ['with klog.end', true, false],
    ["in a broker's directory", false, false],
    ['with klog.end, the first segment gone', true, true],
  ])('%s: the next one ends it, and nothing good is lost', async (_name, hasEnd, isFirstGone) => {
    await inTemporaryDirectory(async (data) => {
      const { directory, log, append } = await makePartition(data, 't', 0, 9000);
      for (let i = 0; i < (isFirstGone ? 12 : 8); i++) await append([`v${i}`.padEnd(2000)]);
      await log.close();
      mkdirSync(join(data, 'log', 'unrelated'));
      if (!hasEnd) unlinkSync(join(directory, 'klog.end'));
      if (isFirstGone) {
        for (const name of readdirSync(directory)) if (/^0{20}\./.test(name)) unlinkSync(join(directory, name));
      }
      const logs = readdirSync(directory)
        .filter((name) => name.endsWith('.log'))
        .sort();
      expect(logs).toHaveLength(2);
      for (const name of logs) {
        const bytes = readFileSync(join(directory, name));
        const second = 12 + bytes.readInt32BE(8);
        bytes.writeUInt8(0, second + 500);
        writeFileSync(join(directory, name), bytes);
      }
      const files = new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]));
      const expected = isFirstGone
        ? ['4:v4', '6:v6', '7:v7', '8:v8', '10:v10', '11:v11']
        : ['0:v0', '2:v2', '3:v3', '4:v4', '6:v6', '7:v7'];
      const operands = [directory];
      const options = { operands, yes: true, json: true, quiet: true, verbose: false };
      let deaths = 0;
      for (let last = 1; ; last += STEP) {
        restore(directory, files);
        let left = last;
        const fs = interpose(({ name }) => {
          if (left <= 0 || (CHANGES.has(name) && --left <= 0)) throw new Error('killed');
        });
        const died = await runLogRepair(options, new FakeContext({ now: 1 }), fs).then(
          () => false,
          () => true,
        );
        if (!died) break;
        deaths += 1;
        await fs.closeAll();
        if (hasEnd) {
          // A writer comes by.
          const clock = { now: () => 2 };
          const writer = await PartitionLog.open(nodeFileSystem, directory, {
            topic: 't',
            partition: 0,
            config: DEFAULT_LOG_CONFIG,
            clock,
          });
          await writer.close();
        }
        const code = await runLogRepair(options, new FakeContext({ now: 3 }));
        expect(code, `after ${last} calls`).toBe(0);
        expect(await valuesIn(directory), `after ${last} calls`).toEqual(expected);
        const after = await run(['log', 'check', directory, '--deep']);
        expect(after.code, `after ${last} calls: ${after.out}`).toBe(0);
      }
      expect(await valuesIn(directory)).toEqual(expected);
      expect(deaths * STEP).toBeGreaterThan(30);
    });
  });
});
