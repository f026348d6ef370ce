import { KlogError } from '../../errors.js';
import type { FileSystem } from '../../storage/file-system.js';
import { storageError, systemErrorCode } from '../../store/system-error.js';
import type { CliContext } from '../cli-context.js';
import type { GlobalOptions } from '../global-options.js';
import { resolveDirectory } from '../resolve-directory.js';
import { allPartitions, type DumpPlace, type FoundPartition, findPartitions } from './dump-targets.js';

/** Where the operands of a `log` command are looked for. */
export function placeOf(options: GlobalOptions, context: Pick<CliContext, 'cwd' | 'env'>): DumpPlace {
  return { cwd: context.cwd, dataDirectory: async () => (await resolveDirectory(options, context)).directory };
}

/** The partitions that all operands mean, each once; without operands those of the whole log. */
export async function partitionsOf(
  fs: FileSystem,
  operands: readonly string[],
  place: DumpPlace,
): Promise<FoundPartition[]> {
  const found = new Map<string, FoundPartition>();
  for (const operand of operands.length === 0 ? [undefined] : operands) {
    try {
      const partitions =
        operand === undefined ? allPartitions(fs, await place.dataDirectory()) : findPartitions(fs, operand, place);
      for await (const partition of partitions) found.set(partition.directory.path, partition);
    } catch (error) {
      throw systemErrorCode(error) === undefined ? error : storageError(error, `cannot read ${operand ?? 'the log'}`);
    }
  }
  return [...found.values()];
}

/** Partitions of one topic together, in the order in which they were found. */
export function byTopic(partitions: readonly FoundPartition[]): Map<string, FoundPartition[]> {
  const topics = new Map<string, FoundPartition[]>();
  for (const partition of partitions) {
    const name = partition.owner?.topic ?? partition.directory.shown;
    const others = topics.get(name);
    if (others === undefined) topics.set(name, [partition]);
    else others.push(partition);
  }
  return topics;
}

/** For commands that need one. */
export function requireOperand(operands: readonly string[], command: string): void {
  if (operands.length > 0) return;
  throw new KlogError('KLOG_USAGE', `${command}: nothing is named`, { hint: 'Name a topic, T:P or a path' });
}
