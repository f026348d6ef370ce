import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCodec } from '../../src/format/compression.js';
import { runs } from '../support/properties.js';
import { append, batchOf, DAY, newPartition, openLog, rows, TestClock, transaction } from './upkeep-log.js';

const COMPACT = { cleanupPolicy: 'compact', segmentBytes: 200 } as const;

/** All files with their bytes, but for the control file, in which only locks may leave their traces. */
function filesOf(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter((name) => name !== 'klog.end');
  return Object.fromEntries(names.map((name) => [name, readFileSync(`${directory}/${name}`, 'latin1')]));
}

describe('a compaction that is only asked about', () => {
  it('says what then comes of it, and leaves every file as it is', async () => {
    const gzip = await loadCodec('gzip');
    const key = fc.constantFrom('a', 'b', 'c', null);
    const row = fc.tuple(key, fc.option(fc.string({ maxLength: 20 })));
    const step = fc.record({
      rows: fc.array(row, { minLength: 1, maxLength: 5 }),
      kind: fc.constantFrom('plain', 'gzip', 'ABORT', 'COMMIT'),
      isCompacted: fc.nat(4).map((n) => n === 0),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.boolean(), async (steps, isLater) => {
        const directory = await newPartition();
        const clock = new TestClock();
        const log = await openLog(directory, COMPACT, { clock });
        for (const [i, { rows: some, kind, isCompacted }] of steps.entries()) {
          if (kind === 'plain' || kind === 'gzip') {
            await append(log, batchOf(some, kind === 'gzip' ? { codec: gzip } : {}));
          } else {
            await append(log, ...transaction(1000 + i, some, kind));
          }
          if (isCompacted) await log.compact({ force: true });
        }
        // Then tombstones may go.
        if (isLater) clock.pass(2 * DAY);
        const before = filesOf(directory);
        const asked = await log.compact({ force: true, validateOnly: true });
        expect(filesOf(directory)).toEqual(before);
        expect(asked).toEqual(await log.compact({ force: true }));
        await log.close();
      }),
      { numRuns: runs(40) },
    );
  });

  it('leaves the segment that is written to out of it where nothing is forced, and where it is too young', async () => {
    const directory = await newPartition();
    const clock = new TestClock();
    const log = await openLog(directory, { ...COMPACT, segmentBytes: 100_000, minCompactionLagMs: DAY }, { clock });
    await rows(log, ['a', '1'], ['a', '2']);
    expect(await log.compact({ validateOnly: true })).toMatchObject({ skipped: 'nothing to do' });
    expect(await log.compact({ force: true, validateOnly: true })).toMatchObject({ skipped: 'nothing to do' });
    clock.pass(DAY);
    expect(await log.compact({ force: true, validateOnly: true })).toMatchObject({ recordsBefore: 2, recordsAfter: 1 });
    expect(await log.compact({ validateOnly: true })).toMatchObject({ skipped: 'nothing to do' });
    await log.close();
  });

  it('counts a first pass where the keys do not fit the map', async () => {
    const log = await openLog(await newPartition(), COMPACT, { clock: new TestClock() });
    await rows(log, ...Array.from({ length: 60 }, (_, i): [string, string] => [`k${i % 20}`, String(i)]));
    const asked = await log.compact({ force: true, validateOnly: true, mapBytes: 24 * 8 });
    expect(asked.firstDirtyOffset).toBeLessThan(60);
    expect(asked.recordsBefore).toBeLessThan(60);
    await log.close();
  });
});
