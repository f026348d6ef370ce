import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { GROUP_FLAWS } from './flaws.js';

it('every wrong variant of the group model is a planted flaw with a test in which it is caught', () => {
  const tests = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test.ts') && name !== 'flaws.test.ts')
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    .join();
  expect(GROUP_FLAWS.filter((name) => !tests.includes(`'${name}'`))).toEqual([]);
  expect(GROUP_FLAWS).toHaveLength(11);
});
