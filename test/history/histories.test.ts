import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realDisk } from '../support/scratch-space.js';
import { ActorPool } from './actor-process.js';
import { ROUND_NAMES } from './round-plan.js';
import { planRound } from './round-planner.js';
import { runRound } from './run-round.js';

/** A round of each kind; `npm run histories` runs as many as one likes. */
const SEED = 20261122;
const DURATION_MS = 250;

describe('real processes on one directory', () => {
  const pool = new ActorPool();
  let work = '';
  beforeAll(() => {
    work = mkdtempSync(join(realDisk(), 'klog-histories-'));
  });
  afterAll(() => {
    pool.close();
    rmSync(work, { recursive: true, force: true });
  });

  it.concurrent.each(ROUND_NAMES.map((name, index) => ({ name, index })))(
    '$name: what they saw is explained by one log a partition',
    async ({ name, index }) => {
      const plan = planRound(SEED, index, DURATION_MS);
      expect(plan.name).toBe(name);
      const result = await runRound(plan, mkdtempSync(join(work, 'round-')), { pool });
      expect(result.anomalies).toEqual([]);
      // A round in which nothing came to pass would show nothing.
      expect(result.acknowledged).toBeGreaterThan(0);
    },
  );
});
