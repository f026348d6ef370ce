import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { flawNames } from '../../support/flaws.js';

it('every planted flaw has a test in which it is caught', () => {
  const tests = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test.ts') && name !== 'flaws.test.ts')
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    .join();
  const untested = (['core', 'roll', 'topic', 'decide'] as const).flatMap((model) =>
    flawNames(model).filter((name) => !tests.includes(`'${name}'`)),
  );
  expect(untested).toEqual([]);
  expect(flawNames('core')).toHaveLength(19);
  expect(flawNames('roll')).toHaveLength(7);
  expect(flawNames('topic')).toHaveLength(2);
  expect(flawNames('decide')).toHaveLength(3);
});
