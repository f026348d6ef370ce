import type { FuzzTarget } from '../fuzz-target.js';
import { archives } from './archives.js';
import { dataDirectory, logCheck, logDump, partitionReader } from './data-directory.js';
import { groupRecords } from './group-records.js';
import { mergeKernel } from './merge-kernel.js';
import { printKernel } from './print-kernel.js';
import { codecs, recordBatches } from './record-batches.js';
import { configFiles, declaredTopics, smallFiles } from './settings.js';
import { expressions, filters, formats, jsonRecords, regularExpressions, separatedValues } from './texts.js';

const MAKERS: Readonly<Record<string, () => FuzzTarget | Promise<FuzzTarget>>> = {
  'record batches': recordBatches,
  codecs,
  'print kernel': printKernel,
  'merge kernel': mergeKernel,
  'group records': groupRecords,
  partition: partitionReader,
  'data directory': dataDirectory,
  'log dump': logDump,
  'log check': logCheck,
  archives,
  'JSON records': jsonRecords,
  'separated values': separatedValues,
  formats,
  expressions,
  'regular expressions': regularExpressions,
  'filter expressions': filters,
  'small files': smallFiles,
  'config files': configFiles,
  'declared topics': declaredTopics,
};

/** @param only these, by name; default all */
export async function allTargets(
  only?: readonly string[],
): Promise<{ readonly targets: readonly FuzzTarget[]; close(): void }> {
  const targets: FuzzTarget[] = [];
  for (const [name, make] of Object.entries(MAKERS)) {
    if (only === undefined || only.includes(name)) targets.push(await make());
  }
  if (targets.length === 0) throw new TypeError(`there is no target ${only?.join(', ')}`);
  return {
    targets,
    close() {
      for (const target of targets) target.close?.();
    },
  };
}

/** The target of input `index`, the same for the same seed, in proportion to the weights. */
export function chooseTarget(targets: readonly FuzzTarget[], random: { next(): number }): FuzzTarget {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.next() * total;
  for (const target of targets) {
    at -= target.weight;
    if (at < 0) return target;
  }
  return targets.at(-1)!;
}
