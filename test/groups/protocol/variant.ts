import { describe, expect, it } from 'vitest';
import { describeViolation, type ExploreOptions, explore } from '../../support/explore.js';
import { loadRight, loadWithFlaw } from '../../support/load-with-flaw.js';
import { groupFlaw } from './flaws.js';
import {
  GROUP_ENTRIES,
  type GroupScenario,
  type GroupsModule,
  groupScenario,
  isStepOfProtocol,
} from './group-scenario.js';

export interface GroupVariant {
  /** As the model's `-DBROKEN_…`. */
  readonly name: string;
  /** What the flaw does, for the title. */
  readonly flaw: string;
  readonly scenario: GroupScenario;
  readonly options: ExploreOptions;
  /** What is noticed. */
  readonly caught: RegExp;
}

let right: Promise<GroupsModule> | undefined;

export function rightGroups(): Promise<GroupsModule> {
  right ??= loadRight<GroupsModule>(GROUP_ENTRIES);
  return right;
}

export function flawedGroups(name: string): Promise<GroupsModule> {
  return loadWithFlaw<GroupsModule>(GROUP_ENTRIES, ...groupFlaw(name));
}

/** The code as it is must hold over the whole bounded exploration in which the planted flaw is caught. */
export function describeVariant({ name, flaw, scenario, options, caught }: GroupVariant): void {
  const all: ExploreOptions = { orders: 0, contendAt: () => false, switchAt: isStepOfProtocol, ...options };
  describe(`${name}: ${flaw}`, () => {
    it('holds without the flaw', async () => {
      const { violation, complete } = await explore(groupScenario(await rightGroups(), scenario), all);
      expect(violation && describeViolation(violation)).toBeUndefined();
      expect(complete).toBe(true);
    });

    it('is caught', async () => {
      const { violation } = await explore(groupScenario(await flawedGroups(name), scenario), all);
      expect(violation?.message ?? 'nothing was noticed').toMatch(caught);
    });
  });
}
