/** Errors planted in klog which the histories must notice, each with the kind of round that provokes it. */

import { ackBeforeWrite, noRepair } from '../crash/flaws.js';
import { flaw } from '../support/flaws.js';
import type { Flaw } from '../support/plant-flaws.js';
import type { ActorPlan, RoundName } from './round-plan.js';

export interface PlantedFlaw {
  readonly name: string;
  readonly flaws: readonly Flaw[];
  readonly round: RoundName;
  /** Whose klog has it; default everybody's. */
  readonly roles?: readonly ActorPlan['role'][];
}

function change(name: string, file: string, find: string, replace: string): Flaw {
  return { name, model: 'none', file, find, replace };
}

const noAppendLock = change(
  'no append lock',
  'storage/partition-locks.ts',
  `    await this.queue.acquire();
    try {
      await this.append.acquire();
    } finally {
      this.queue.release();
    }`,
  '    await undefined;',
);

/** Files that were exchanged or removed meanwhile are taken for damage. */
const swapsUnseen = change(
  'exchanged files are not looked for again',
  'storage/partition-reader.ts',
  `    if (now.layoutVersion === view.layoutVersion && now.segmentBase === view.segmentBase && tries > 1) return false;`,
  '    if (tries > 0) return false;',
);
export const PLANTED: readonly PlantedFlaw[] = [
  { name: 'no-append-lock', flaws: [noAppendLock], round: 'undisturbed' },
  {
    name: 'acknowledged-before-written',
    flaws: [ackBeforeWrite, ...flaw('core', 'ACK_WRITTEN')],
    round: 'kills',
    roles: ['write'],
  },
  {
    name: 'acknowledged-before-safe',
    flaws: flaw('core', 'ACK_WRITTEN'),
    round: 'sync leader fails while others wait',
  },
  { name: 'failed-sync-forgotten', flaws: flaw('core', 'NO_SYNCING'), round: 'sync leader fails while others wait' },
  { name: 'cut-count-lost', flaws: flaw('core', 'NO_CUT_COUNT'), round: 'sync leader fails while others wait' },
  {
    name: 'reader-past-the-durable-end',
    flaws: flaw('core', 'READER_AT_A'),
    round: 'sync leader fails while others wait',
    roles: ['read'],
  },
  { name: 'torn-tail-left', flaws: [noRepair], round: 'killed in mid-write while others wait' },
  { name: 'cut-at-the-safe-end', flaws: flaw('core', 'CUT_AT_S'), round: 'killed between append and sync' },
  {
    name: 'writes-to-a-deleted-topic',
    flaws: flaw('topic', 'NO_INODE_CHECK'),
    round: 'topic replaced while others wait',
  },
  { name: 'swaps-unseen', flaws: [swapsUnseen], round: 'files swapped between two opens of a reader', roles: ['read'] },
];
