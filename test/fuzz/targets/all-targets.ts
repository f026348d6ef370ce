import type { FuzzTarget } from '../fuzz-target.js';
import { dataDirectory, logDump, partitionReader } from './data-directory.js';
import { codecs, recordBatches } from './record-batches.js';
import { configFiles, expressions, filters, formats, jsonRecords, separatedValues, smallFiles } from './texts.js';

export async function allTargets(): Promise<{ readonly targets: readonly FuzzTarget[]; close(): void }> {
  const config = configFiles();
  const targets = [
    await recordBatches(),
    await codecs(),
    await partitionReader(),
    await dataDirectory(),
    await logDump(),
    jsonRecords(),
    separatedValues(),
    formats(),
    expressions(),
    filters(),
    smallFiles(),
    config,
  ];
  return { targets, close: () => config.close() };
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
