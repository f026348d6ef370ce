/**
 * Every flipped bit is noticed or provably harmless. Here a slice of the bits of a partition of 64 KiB; `npm run
 * bitflips` flips all of them and prints what became of them.
 */
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FoundPartition } from '../../src/cli/log/dump-targets.js';
import { sharedDirectory } from '../support/temporary-directory.js';
import { makeFlipPartition } from './flip-plan.js';
import { type FlipVerdict, outcomeOfReading, type ReadOutcome, readAll, verdictOfCheck } from './flip-verdict.js';
import { FlippedFiles } from './flipped-files.js';

/** `all`, or a number: of the `.log` files only each so many-th bit, of all others every one. */
const asked = process.env.BITFLIPS;
const isWhole = asked !== undefined;
/**
 * Of the slice: bits from one to the next, by the end of the file's name. Primes, so that all places of a byte come up.
 */
const STRIDES: readonly (readonly [RegExp, number])[] = [
  [/\.log$/, 1511],
  [/index$/, 11],
  [/^klog\.end$/, 211],
  [/./, 3],
];
const EPOCH_AT = 12;
const EPOCH_END = 16;
const SYNCING_AT = 2048;

const data = sharedDirectory();
let directory: string;
let fs: FlippedFiles;
let partition: FoundPartition;
let right: string[];
const counts = new Map<string, number>();

beforeAll(async () => {
  directory = await makeFlipPartition(data);
  fs = new FlippedFiles(data);
  const names = fs.readDirectory(directory);
  partition = {
    owner: { topic: 't', partition: 0, state: undefined },
    directory: { path: directory, shown: directory, names },
  };
  right = (await readAll(fs, directory)).lines;
});

afterAll(() => {
  if (!isWhole) return;
  const lines = [...counts].sort().map(([what, count]) => `${String(count).padStart(8)}  ${what}`);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  process.stdout.write(`${lines.join('\n')}\n${String(total).padStart(8)}  bits in all\n`);
});

/** Why a flip that is not called damage does no harm; undefined: it cannot be explained. */
function whyHarmless(name: string, byte: number): string | undefined {
  if (name.endsWith('.log')) {
    const isEpoch = batchStarts(name).some((start) => byte >= start + EPOCH_AT && byte < start + EPOCH_END);
    return isEpoch ? 'the leader epoch of a batch, which no checksum covers and nothing asks for' : undefined;
  }
  if (name.endsWith('.timeindex')) return byte % 12 >= 8 ? 'an offset of the same batch' : undefined;
  if (name === 'leader-epoch-checkpoint') return 'another epoch or offset, which only says who wrote';
  if (name !== 'klog.end') return undefined;
  if (byte === SYNCING_AT) return 'the sign of a sync under way: the next writer settles the log';
  const isRecord = byte < SYNCING_AT && byte % 512 < 256;
  return isRecord ? undefined : 'bytes between the records of klog.end';
}

function batchStarts(name: string): number[] {
  const file = fs.open(join(directory, name));
  const head = Buffer.alloc(12);
  const starts: number[] = [];
  for (let at = 0; at < fs.sizeOf(join(directory, name)); ) {
    starts.push(at);
    file.read(head, 0, 12, at);
    at += 12 + head.readInt32BE(8);
  }
  return starts;
}

async function flipAll(name: string): Promise<string[]> {
  const path = join(directory, name);
  const bits = fs.sizeOf(path) * 8;
  const whole = name.endsWith('.log') ? Number(asked) || 1 : 1;
  const stride = isWhole ? whole : STRIDES.find(([pattern]) => pattern.test(name))![1];
  const kind = name.replace(/^\d{20}/, 'segment');
  const bad: string[] = [];
  const explained = Array.from({ length: fs.sizeOf(path) }, (_, byte) => whyHarmless(name, byte));
  for (let bit = 0; bit < bits; bit += stride) {
    fs.flip(path, bit);
    const verdict: FlipVerdict = await verdictOfCheck(fs, partition);
    const outcome: ReadOutcome = await outcomeOfReading(fs, directory, right);
    fs.flip(path, bit);
    const why = explained[bit >>> 3];
    const isFine = outcome !== 'wrong' && (verdict === 'noticed' || (outcome === 'same' && why !== undefined));
    if (!isFine) bad.push(`byte ${bit >>> 3}, bit ${bit & 7}: the check ${verdict}, a reader ${outcome}`);
    const what = verdict === 'noticed' ? `noticed by the check; a reader: ${outcome}` : `harmless (${verdict}): ${why}`;
    counts.set(`${kind}: ${what}`, (counts.get(`${kind}: ${what}`) ?? 0) + 1);
  }
  return bad.slice(0, 20);
}

describe(isWhole ? 'every bit' : 'a slice of the bits', () => {
  it('of a good partition nothing is said, and a reader gets all of it', async () => {
    expect(await verdictOfCheck(fs, partition)).toBe('harmless');
    expect(await outcomeOfReading(fs, directory, right)).toBe('same');
    const bytes = fs.readDirectory(directory).filter((name) => name.endsWith('.log'));
    expect(bytes.reduce((sum, name) => sum + fs.sizeOf(join(directory, name)), 0)).toBeGreaterThan(63 * 1024);
    expect(right.length).toBe(310);
  });

  it.each([
    '00000000000000000000.log',
    '00000000000000000155.log',
    '00000000000000000000.index',
    '00000000000000000155.index',
    '00000000000000000000.timeindex',
    '00000000000000000155.timeindex',
    '00000000000000000155.snapshot',
    'klog.end',
    'leader-epoch-checkpoint',
    'partition.metadata',
  ])(
    'of %s is noticed or harmless, and none shows a reader what was never written',
    { timeout: 14_400_000 },
    async (name) => {
      expect(basename(join(directory, name))).toBe(name);
      expect(await flipAll(name)).toEqual([]);
    },
  );

  it('of a base offset shows nobody who begins to read at it, in it or behind it what was never written', {
    timeout: 14_400_000,
  }, async () => {
    const name = '00000000000000000000.log';
    const path = join(directory, name);
    const bad: string[] = [];
    for (const [i, start] of batchStarts(name).entries()) {
      for (let bit = isWhole ? 0 : 55 + (i % 3); bit < 64; bit += isWhole ? 1 : 3) {
        // Big-endian: the last byte has the lowest bits.
        fs.flip(path, start * 8 + bit);
        for (const from of [i * 5, i * 5 + 3, i * 5 + 5]) {
          const outcome = await outcomeOfReading(fs, directory, right.slice(from), from);
          if (outcome === 'wrong' || outcome === 'prefix') bad.push(`batch ${i}, bit ${bit}, from ${from}: ${outcome}`);
        }
        fs.flip(path, start * 8 + bit);
      }
    }
    expect(bad.slice(0, 20)).toEqual([]);
  });
});
