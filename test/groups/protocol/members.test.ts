/** The wrong variants of the group model (groups.pml), each in the smallest group that shows it. */
import { describeVariant } from './variant.js';

/** Where a decision may be overtaken, and a record be in hand. */
const atDecisions = ({ name, path }: { readonly name: string; readonly path: string }) =>
  name === 'wait' && (path.startsWith('append') || path.startsWith('handling'));

describeVariant({
  name: 'NO_RELEASE',
  flaw: 'a partition is taken as soon as it is assigned, and not when it was released',
  scenario: { members: 2, partitions: 2, records: 1 },
  options: { preemptions: 1 },
  caught: /both handle a record|is handled twice/,
});

describeVariant({
  name: 'RELEASE_FIRST',
  flaw: 'the last commit comes after the release',
  scenario: { members: 2, partitions: 2, records: 1 },
  options: { preemptions: 1 },
  caught: /is not with m1|is handled twice/,
});

describeVariant({
  name: 'PREVIOUS_OWNER',
  flaw: 'only the owner of the generation before is waited for',
  scenario: { members: 3, partitions: 2, records: 1, assignor: 'range' },
  options: { preemptions: 2, switchAt: atDecisions },
  caught: /both handle a record|is handled twice/,
});

describeVariant({
  name: 'GENERATION_FENCE',
  flaw: 'a commit is refused because somebody has joined',
  scenario: { members: 2, partitions: 2, records: 1, commit: 'each' },
  options: { preemptions: 1 },
  caught: /evicted/,
});

describeVariant({
  name: 'CHECK_THEN_APPEND',
  flaw: 'whether a commit counts is decided before it is appended',
  scenario: { members: 2, partitions: 2, records: 2, commit: 'each', evicts: 1 },
  options: { preemptions: 2, switchAt: atDecisions },
  caught: /was evicted and commits/,
});

describeVariant({
  name: 'BLIND_REBALANCE',
  flaw: 'an assignment is made of what was read before, and appended as it is',
  scenario: { members: 2, partitions: 2, partitionsAtFirst: 1, records: 1, lastIsLate: true },
  options: { preemptions: 2, switchAt: atDecisions },
  caught: /evicted|is handled twice/,
});

describeVariant({
  name: 'PATH_IS_PROOF',
  flaw: 'a missing or foreign lock file counts as a free lock',
  scenario: { members: 2, partitions: 2, records: 1, deletes: 'file' },
  options: { preemptions: 2, switchAt: atDecisions },
  caught: /evicted|is handled twice/,
});
