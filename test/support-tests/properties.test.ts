import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/properties.js';

const TESTS = join(import.meta.dirname, '..');

describe('property tests', () => {
  it('take their seed and their number of runs from one place', () => {
    const others = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .filter((name) => {
        const text = readFileSync(join(TESTS, name), 'utf8');
        const isSeeded = text.includes("support/properties.js'");
        return text.includes('fc.assert(') && !(isSeeded && !/numRuns: \d|configureGlobal\(/.test(text));
      });
    expect(others).toEqual([]);
  });

  it('try the same inputs each time', () => {
    const inputs = (): number[] => {
      const seen: number[] = [];
      fc.assert(fc.property(fc.integer(), (input) => void seen.push(input)));
      return seen;
    };
    expect(inputs()).toEqual(inputs());
    expect(inputs()).toHaveLength(runs(100));
  });
});
