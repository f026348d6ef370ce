/** `values/*.json`: lists of inputs and results of single functions. The file's name says which. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runAssignors } from './assignor-values.js';
import { runCoordinatorPartitions, runCoordinatorRecords } from './coordinator-values.js';
import { runCrcs, runMurmur2, runTopicsAndUuids, runVarints, ValueCheck } from './value-lists.js';
import type { Outcome, Vector } from './vector.js';
import { mismatch, ok, pending, vectorName } from './vector.js';

const LISTS = new Map<string, (content: never, check: ValueCheck) => void>([
  ['crc.json', runCrcs],
  ['murmur2.json', runMurmur2],
  ['varint.json', runVarints],
  ['topics-uuids.json', runTopicsAndUuids],
  ['assignors.json', runAssignors],
  ['coordinator-partition.json', runCoordinatorPartitions],
  ['coordinator-records.json', runCoordinatorRecords],
]);

export async function runValues(folder: string, vector: Vector): Promise<Outcome> {
  const name = vectorName(vector);
  const run = LISTS.get(basename(name));
  if (run === undefined) return pending('klog has no code for these values yet');
  const check = new ValueCheck();
  run(JSON.parse(await readFile(join(folder, name), 'utf8')) as never, check);
  const [first, ...others] = check.differences;
  if (first !== undefined) return mismatch(others.length > 0 ? `${first} (and ${others.length} more)` : first);
  if (check.checked === 0) return mismatch('the file holds no values');
  const notes = [`${check.checked} values`];
  if (check.refused.length > 0) notes.push(`refused, beyond 2^53 - 1: ${check.refused.join(', ')}`);
  return ok(...notes);
}
