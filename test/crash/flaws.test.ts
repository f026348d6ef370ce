import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PLANTED as PLANTED_IN_HISTORIES } from '../history/flaws.js';
import { PLANTED } from './flaws.js';
import { OTHERS, SCENARIOS } from './scenarios/index.js';

const sources = join(import.meta.dirname, '../../src');

it.each([...PLANTED, ...PLANTED_IN_HISTORIES])('$name can be planted in the sources as they are', ({ flaws }) => {
  for (const { file, find } of flaws) {
    expect(readFileSync(join(sources, file), 'utf8').split(find), `src/${file}: ${find}`).toHaveLength(2);
  }
});

it('every flaw has a scenario, and a name of its own', () => {
  const scenarios = new Set([...SCENARIOS, ...OTHERS].map(({ name }) => name));
  expect(PLANTED.filter(({ scenario }) => !scenarios.has(scenario))).toEqual([]);
  expect(new Set(PLANTED.map(({ name }) => name)).size).toBe(PLANTED.length);
});
