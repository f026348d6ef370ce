import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KlogError } from '../../src/errors.js';
import { type FuzzFinding, fuzzInputs } from './fuzz-inputs.js';
import type { FuzzRandom } from './fuzz-random.js';
import type { FuzzTarget } from './fuzz-target.js';
import { allTargets } from './targets/all-targets.js';

const SEED = 20261122;
const INPUTS = 4000;

async function findingsOf(targets: readonly FuzzTarget[], inputs: number): Promise<FuzzFinding[]> {
  const findings: FuzzFinding[] = [];
  await fuzzInputs(targets, { seed: SEED, from: 0, end: inputs, onFinding: (finding) => findings.push(finding) });
  return findings;
}

describe('inputs that nobody vouches for', () => {
  let all: Awaited<ReturnType<typeof allTargets>>;
  beforeAll(async () => {
    all = await allTargets();
  });
  afterAll(() => all.close());

  it('fail with a KlogError or not at all, within a second', async () => {
    expect(await findingsOf(all.targets, INPUTS)).toEqual([]);
  });

  it('come to every target', async () => {
    const counts = new Map<string, number>();
    const counted = all.targets.map((target) => ({
      ...target,
      run: () => void counts.set(target.name, (counts.get(target.name) ?? 0) + 1),
    }));
    await findingsOf(counted, 5 * INPUTS);
    for (const { name } of all.targets) expect(counts.get(name)).toBeGreaterThan(10);
  });
});

describe('the fuzzer', () => {
  const target = (run: (random: FuzzRandom) => void): FuzzTarget => ({ name: 'planted', weight: 1, run });

  it('finds an error that is no KlogError, and passes one that is', async () => {
    const planted = target((random) => {
      throw random.chance(0.5) ? new KlogError('CORRUPT_MESSAGE', 'as it should be') : new TypeError('planted');
    });
    const findings = await findingsOf([planted], 40);
    expect(findings.length).toBeGreaterThan(5);
    expect(findings.length).toBeLessThan(35);
    for (const { problem } of findings) expect(problem).toContain('TypeError: planted');
  });

  it('finds an input that takes over a second', async () => {
    const planted = target(() => {
      const start = process.cpuUsage();
      while (process.cpuUsage(start).user < 1_100_000);
    });
    expect(await findingsOf([planted], 1)).toMatchObject([{ index: 0, target: 'planted' }]);
  });

  it('makes the same input from the same seed and index', async () => {
    const seen: number[] = [];
    const planted = target((random) => void seen.push(random.next()));
    await findingsOf([planted], 3);
    await findingsOf([planted], 3);
    expect(seen.slice(3)).toEqual(seen.slice(0, 3));
    expect(new Set(seen).size).toBe(3);
  });
});
