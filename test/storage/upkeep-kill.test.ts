/**
 * Upkeep that dies at any of its calls, or fails at one: readers see the log as it was or as it is to be, record by
 * record, the next opener finishes or undoes what was begun, and a second run of the same does the rest.
 */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LogConfig } from '../../src/storage/log-config.js';
import type { PartitionLog } from '../../src/storage/partition-log.js';
import { type InterposedFileSystem, interpose, systemError } from '../store/interposed-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import {
  allBytes,
  append,
  leftovers,
  newPartition,
  openLog,
  type Row,
  readAll,
  rows,
  type StoredRow,
  segments,
  transaction,
} from './upkeep-log.js';

const CONFIG: Partial<LogConfig> = { segmentBytes: 500, cleanupPolicy: 'compact,delete', retentionBytes: 300 };
const FIRST = '0'.repeat(20);
const GIVEN = Array.from({ length: 10 }, (_, i): Row => [`k${i % 4}`, `value-${i}`]);

interface Operation {
  readonly name: string;
  run(log: PartitionLog): Promise<unknown>;
  /** Of what was there before, what must be there at any moment. */
  stays(row: StoredRow, all: readonly StoredRow[]): boolean;
}

const isLast = (row: StoredRow, all: readonly StoredRow[]) => all.findLast(({ key }) => key === row.key) === row;

const OPERATIONS: Operation[] = [
  { name: 'trim', run: (log) => log.trim(7), stays: ({ offset }) => offset >= 7 },
  { name: 'trim of everything', run: (log) => log.trim(-1), stays: () => false },
  { name: 'retention', run: (log) => log.applyRetention(), stays: () => false },
  { name: 'compaction', run: (log) => log.compact({ force: true }), stays: isLast },
  { name: 'erasing', run: (log) => log.erase({ key: Buffer.from('k3') }), stays: ({ key }) => key !== 'k3' },
];

/** Between two of these calls nothing on the disk is changed. */
const CHANGES = /^(write|truncate|sync|syncDirectory|rename|unlink|open create.*)$/;

/** The nth of these calls and all later ones are not made: the process is gone, and its locks with it. */
function dyingAt(n: number): { readonly fs: InterposedFileSystem; readonly calls: () => number } {
  let calls = 0;
  const fs = interpose(async ({ name }) => {
    if (CHANGES.test(name)) calls++;
    if (calls < n) return;
    await fs.closeAll();
    throw new Error('killed');
  });
  return { fs, calls: () => calls };
}

/** The nth of these calls fails, once. */
function failingAt(n: number, code: string): { readonly fs: InterposedFileSystem; readonly calls: () => number } {
  let calls = 0;
  const fs = interpose(({ name, path }) => {
    if (CHANGES.test(name) && ++calls === n) throw systemError(code, path);
  });
  return { fs, calls: () => calls };
}

describe.each(OPERATIONS)('$name', ({ run, stays }) => {
  let seeded: string;
  let before: StoredRow[];
  let after: StoredRow[];

  async function copy(): Promise<string> {
    const directory = join(temporaryDirectory(), 't-0');
    // The inode of its control file is another: S is brought up to date by the first opener.
    cpSync(seeded, directory, { recursive: true });
    await (await openLog(directory, CONFIG)).close();
    return directory;
  }

  async function seed(): Promise<void> {
    seeded = join(temporaryDirectory(), 't-0');
    const made = await newPartition();
    const log = await openLog(made, CONFIG);
    await rows(log, ...GIVEN);
    await append(log, ...transaction(9, [['k0', 'in a transaction']], 'COMMIT'));
    await log.close();
    cpSync(made, seeded, { recursive: true });
    before = await readAll(seeded);
    const directory = await copy();
    const whole = await openLog(directory, CONFIG);
    await run(whole);
    await whole.close();
    after = await readAll(directory);
    expect(after.length).toBeLessThan(before.length);
  }

  function expectBetween(found: readonly StoredRow[], when: string): void {
    const offsets = new Set(found.map(({ offset }) => offset));
    for (const row of found) expect(before, when).toContainEqual(row);
    for (const row of before)
      if (stays(row, before)) expect(offsets.has(row.offset), `${row.offset} ${when}`).toBe(true);
    for (const row of after) expect(offsets.has(row.offset), `${row.offset} ${when}`).toBe(true);
    expect([...offsets].sort((a, b) => a - b)).toEqual(found.map(({ offset }) => offset));
  }

  it('killed at any call', async () => {
    await seed();
    for (let n = 1, finished = false; !finished; n++) {
      const directory = await copy();
      const dying = dyingAt(n);
      try {
        const log = await openLog(directory, CONFIG, { fs: dying.fs });
        await run(log);
        await log.close();
      } catch (error) {
        expect(dying.calls(), String(error)).toBeGreaterThanOrEqual(n);
      }
      finished = dying.calls() < n;
      const when = `after a kill at call ${n}`;
      // One that may not settle sees it first.
      expectBetween(await readAll(directory), `${when}, unsettled`);
      const log = await openLog(directory, CONFIG);
      expectBetween(await readAll(directory), when);
      await run(log);
      expect(await readAll(directory), when).toEqual(after);
      expect(leftovers(directory), when).toEqual([]);
      await rows(log, ['k1', 'next']);
      expect((await readAll(directory)).at(-1)?.value).toBe('next');
      await log.close();
    }
  });

  it('with no space, or a broken disk, at any call', async () => {
    await seed();
    for (let n = 1, finished = false; !finished; n++) {
      const directory = await copy();
      const code = n % 2 === 0 ? 'ENOSPC' : 'EIO';
      const failing = failingAt(n, code);
      try {
        const log = await openLog(directory, CONFIG, { fs: failing.fs });
        try {
          await run(log);
        } finally {
          await log.close();
        }
      } catch (error) {
        expect(error, `call ${n}`).toHaveProperty('code');
      }
      finished = failing.calls() < n;
      expectBetween(await readAll(directory), `after ${code} at call ${n}, unsettled`);
      const log = await openLog(directory, CONFIG);
      await run(log);
      expect(await readAll(directory), `after ${code} at call ${n}`).toEqual(after);
      expect(leftovers(directory)).toEqual([]);
      await log.close();
    }
  });

  it('beside writers and readers', async () => {
    await seed();
    const directory = await copy();
    const log = await openLog(directory, CONFIG);
    const writer = await openLog(directory, CONFIG);
    let done = false;
    const writing = (async () => {
      for (let i = 0; !done; i++) await rows(writer, ['other', `more-${i}`]);
    })();
    const reading = (async () => {
      while (!done) {
        const found = (await readAll(directory)).filter(({ key }) => key !== 'other');
        expectBetween(found, 'beside it');
        await new Promise(setImmediate);
      }
    })();
    await run(log);
    done = true;
    await Promise.all([writing, reading]);
    await writer.close();
    await log.close();
    expect(allBytes(directory).length).toBeGreaterThan(0);
  });
});

it.each(['compaction', 'erasing'])(
  'that fails in the middle of an exchange leaves a log its own indexes: %s',
  async (name) => {
    const directory = await newPartition();
    const config = { ...CONFIG, indexIntervalBytes: 0 };
    const fs = interpose(({ name: call, path }) => {
      if (call === 'rename' && path.endsWith('.log.cleaned')) throw systemError('EIO', path);
    });
    const log = await openLog(directory, config, { fs });
    await rows(log, ...GIVEN);
    const indexes = () => ['index', 'timeindex'].map((suffix) => readFileSync(join(directory, `${FIRST}.${suffix}`)));
    const before = indexes();
    expect(before[0]!.length).toBeGreaterThan(8);
    const { run } = OPERATIONS.find((operation) => operation.name === name)!;
    await expect(run(log)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    await log.close();
    await (await openLog(directory, config)).close();
    expect(leftovers(directory)).toEqual([]);
    expect(indexes()).toEqual(before);
  },
);

it('killed while it makes one segment of many, a reader that may not settle finds each record once', async () => {
  const made = await newPartition();
  const small = await openLog(made, { cleanupPolicy: 'compact', segmentBytes: 100 });
  await rows(small, ...Array.from({ length: 5 }, (_, i): Row => [`k${i % 3}`, `v${i}`]));
  await small.close();
  const states = new Set<string>();
  for (let n = 1, finished = false; !finished; n++) {
    const directory = join(temporaryDirectory(), 't-0');
    cpSync(made, directory, { recursive: true });
    const dying = dyingAt(n);
    const config = { cleanupPolicy: 'compact', segmentBytes: 1000 } as const;
    try {
      const log = await openLog(directory, config, { fs: dying.fs });
      await log.compact({ force: true });
      await log.close();
    } catch {
      // Dead.
    }
    finished = dying.calls() < n;
    const found = await readAll(directory);
    expect(
      found.slice(-3).map(({ value }) => value),
      `killed at call ${n}`,
    ).toEqual(['v2', 'v3', 'v4']);
    expect(new Set(found.map(({ offset }) => offset)).size, `killed at call ${n}`).toBe(found.length);
    states.add(`${found.length} records in ${segments(directory).length} segments`);
  }
  // In place and the others not unlinked yet: fewer records, all the segments.
  expect(states).toContain('3 records in 6 segments');
});
