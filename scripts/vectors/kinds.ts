/**
 * Which code runs which kind of vector. To add a kind: write its file beside this one, exporting a `Kind`, and name
 * it here.
 */
import { runBatches } from './batches.js';
import { runCompaction } from './compaction.js';
import { runRecovery } from './recovery.js';
import { runSegment } from './segment.js';
import { runSideFiles } from './side-files.js';
import { runValues } from './values.js';
import type { Kind } from './vector.js';

export const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['batches', runBatches],
  ['values', runValues],
  ['side files', runSideFiles],
  ['segment', runSegment],
  ['recovery', runRecovery],
  ['compaction', runCompaction],
]);
