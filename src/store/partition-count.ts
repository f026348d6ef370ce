import { KlogError } from '../errors.js';

/** More directories than that in one command are a slip of the finger. */
export const MAX_PARTITIONS = 10_000;

/** @throws KlogError INVALID_PARTITIONS */
export function checkPartitions(topic: string, partitions: number): void {
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= MAX_PARTITIONS) return;
  const message = `topic ${topic} cannot have ${partitions} partitions: allowed are 1 to ${MAX_PARTITIONS}`;
  throw new KlogError('INVALID_PARTITIONS', message, { topic });
}
