import { describe, expect, it } from 'vitest';
import {
  describeViolation,
  type Exploration,
  type ExploreOptions,
  explore,
  type Scenario,
} from '../../support/explore.js';
import { flaw } from '../../support/flaws.js';
import { loadRight, loadWithFlaw } from '../../support/load-with-flaw.js';
import { STORAGE_ENTRIES, type StorageModule } from './partition-scenario.js';

export interface Variant {
  readonly model: 'core' | 'roll' | 'topic' | 'decide';
  /** As the model's `-DBROKEN_…`. */
  readonly name: string;
  /** What the flaw does, for the title. */
  readonly flaw: string;
  readonly scenario: (storage: StorageModule) => Scenario;
  readonly options: ExploreOptions;
  /** What is noticed. */
  readonly caught: RegExp;
}

let right: Promise<StorageModule> | undefined;

export function rightStorage(): Promise<StorageModule> {
  right ??= loadRight<StorageModule>(STORAGE_ENTRIES);
  return right;
}

/** The code as it is must hold over the whole bounded exploration in which the planted flaw is caught. */
export function describeVariant({ model, name, flaw: what, scenario, options, caught }: Variant): void {
  describe(`${name}: ${what}`, () => {
    it('holds without the flaw', async () => {
      const exploration = await explore(scenario(await rightStorage()), options);
      expectHolds(exploration);
      expect(exploration.complete).toBe(true);
    });

    it('is caught', async () => {
      const flawed = await loadWithFlaw<StorageModule>(STORAGE_ENTRIES, ...flaw(model, name));
      const { violation } = await explore(scenario(flawed), options);
      expect(violation?.message ?? 'nothing was noticed').toMatch(caught);
    });
  });
}

export function expectHolds({ violation }: Exploration): void {
  expect(violation && describeViolation(violation)).toBeUndefined();
}
