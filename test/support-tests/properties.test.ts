import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../support/properties.js';

it('property tests try the same inputs each time, as many as they were asked to', () => {
  const inputs = (): number[] => {
    const seen: number[] = [];
    fc.assert(fc.property(fc.integer(), (input) => void seen.push(input)));
    return seen;
  };
  expect(inputs()).toEqual(inputs());
  expect(inputs()).toHaveLength(runs(100));
  expect(fc.readConfigureGlobal()).toMatchObject({ seed: expect.any(Number) });
});
