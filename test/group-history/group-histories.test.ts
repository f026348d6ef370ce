import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildLibrary } from '../support/build-library.js';
import { runGroupRound } from './run-group-round.js';

/** One short round; `npm run group-histories` runs as many as one likes. */
let library = '';
beforeAll(async () => {
  library = await buildLibrary(mkdtempSync(join(tmpdir(), 'klog-group-library-')), ['index']);
});
afterAll(() => rmSync(library, { recursive: true, force: true }));

it('members as real processes, killed, stopped and evicted: every record is accounted for', async () => {
  const { anomalies, counts } = await runGroupRound({ library, seed: 20261123, durationMs: 900 });
  expect(anomalies).toEqual([]);
  // A round in which nothing came to pass would show nothing.
  expect(counts.handled).toBeGreaterThanOrEqual(40);
  expect(counts.killed + counts.stopped + counts.evicted).toBeGreaterThan(0);
});
