import { partitionForKey } from '../format/murmur2.js';

/**
 * - `murmur2`: keys go where Java's default partitioner sends them, an empty key too; keyless records as `sticky`.
 * - `sticky`: keys are ignored; a batch of records at a time goes to one partition, on a directory to the one with the
 *   lowest end offset, ties to the lowest number. Kafka: `partitioner.ignore.keys`.
 * - `round-robin`: one record after the other, from partition 0. Kafka: `RoundRobinPartitioner`.
 * - `random`: each record anywhere.
 */
export type PartitionerName = 'murmur2' | 'sticky' | 'round-robin' | 'random';

/** Chooses a partition from 0 to partitionCount - 1, or -1 for "wherever keyless records go now". */
export type Partitioner = (key: Uint8Array | null, value: Uint8Array | null, partitionCount: number) => number;

export const PARTITIONER_NAMES: readonly PartitionerName[] = ['murmur2', 'sticky', 'round-robin', 'random'];

/** "Wherever keyless records go now": the choice is the batching's, because it holds for a batch, not for a record. */
export const STICKY = -1;

/** A partitioner over byte ranges; null has a null buffer. One for each topic of a producer. */
export interface RangePartitioner {
  /** Keyless records are always {@link STICKY}, so the everyday line need not ask. */
  readonly keylessIsSticky: boolean;
  /** A key's partition is Kafka's, `partitionForKey`. */
  readonly hashesKeys: boolean;
  choose(
    keyBuffer: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    partitionCount: number,
  ): number;
}

/** `random` answers from 0 (inclusive) to 1 (exclusive). */
export function createPartitioner(choice: PartitionerName | Partitioner, random: () => number): RangePartitioner {
  if (typeof choice === 'function') return customPartitioner(choice);
  switch (choice) {
    case 'murmur2':
      return murmur2Partitioner;
    case 'sticky':
      return stickyPartitioner;
    case 'round-robin':
      return roundRobinPartitioner();
    case 'random':
      return randomPartitioner(random);
    default:
      throw new TypeError(
        `partitioner must be a function or one of ${PARTITIONER_NAMES.join(', ')}: ${String(choice)}`,
      );
  }
}

const murmur2Partitioner: RangePartitioner = {
  keylessIsSticky: true,
  hashesKeys: true,
  choose: (keyBuffer, keyStart, keyEnd, _valueBuffer, _valueStart, _valueEnd, partitionCount) =>
    keyBuffer === null ? STICKY : partitionForKey(keyBuffer, keyStart, keyEnd, partitionCount),
};

const stickyPartitioner: RangePartitioner = { keylessIsSticky: true, hashesKeys: false, choose: () => STICKY };

function roundRobinPartitioner(): RangePartitioner {
  let next = 0;
  return {
    keylessIsSticky: false,
    hashesKeys: false,
    choose(_keyBuffer, _keyStart, _keyEnd, _valueBuffer, _valueStart, _valueEnd, partitionCount) {
      const partition = next % partitionCount;
      next = partition + 1;
      return partition;
    },
  };
}

function randomPartitioner(random: () => number): RangePartitioner {
  return {
    keylessIsSticky: false,
    hashesKeys: false,
    choose: (_keyBuffer, _keyStart, _keyEnd, _valueBuffer, _valueStart, _valueEnd, partitionCount) =>
      Math.min(partitionCount - 1, Math.floor(random() * partitionCount)),
  };
}

function customPartitioner(partitioner: Partitioner): RangePartitioner {
  return {
    keylessIsSticky: false,
    hashesKeys: false,
    choose(keyBuffer, keyStart, keyEnd, valueBuffer, valueStart, valueEnd, partitionCount) {
      const partition = partitioner(
        keyBuffer === null ? null : keyBuffer.subarray(keyStart, keyEnd),
        valueBuffer === null ? null : valueBuffer.subarray(valueStart, valueEnd),
        partitionCount,
      );
      if (!Number.isInteger(partition) || partition < STICKY || partition >= partitionCount) {
        throw new TypeError(`the partitioner answered ${partition}, expected -1 to ${partitionCount - 1}`);
      }
      return partition;
    },
  };
}
