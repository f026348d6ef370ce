import type { TopicPartition } from '../clients/client.js';
import { partitionName } from '../clients/partition-name.js';

interface Progress {
  /** In the order they were begun, which is ascending. */
  readonly unfinished: Set<number>;
  /** Behind the last that was begun or passed over. */
  position: number;
}

/**
 * How far each partition is done without a gap: what may be committed while later records are already finished. Of
 * those nothing is remembered, only of the unfinished: no more than are in hand, however long one of them holds the
 * commits back. What was finished behind it comes again if klog dies.
 */
export class FinishedOffsets {
  readonly #partitions = new Map<string, Progress>();

  /** Offsets of a partition come in ascending order, whether begun or passed over. */
  begin(place: TopicPartition, offset: number): void {
    const progress = this.#of(place);
    progress.unfinished.add(offset);
    progress.position = offset + 1;
  }

  /** Nothing has to be done about it: a filter dropped it. */
  pass(place: TopicPartition, offset: number): void {
    this.#of(place).position = offset + 1;
  }

  /** Of a partition that was forgotten meanwhile it is nobody's business. */
  finish(place: TopicPartition, offset: number): void {
    this.#partitions.get(partitionName(place))?.unfinished.delete(offset);
  }

  /**
   * The lowest unfinished offset, or the one behind all that was seen. Undefined: nothing was seen of this partition.
   */
  next(place: TopicPartition): number | undefined {
    const progress = this.#partitions.get(partitionName(place));
    if (progress === undefined) return undefined;
    for (const lowest of progress.unfinished) return lowest;
    return progress.position;
  }

  /** What was seen of a partition that goes to another reader counts no more. */
  forget(place: TopicPartition): void {
    this.#partitions.delete(partitionName(place));
  }

  #of(place: TopicPartition): Progress {
    const name = partitionName(place);
    let progress = this.#partitions.get(name);
    if (progress === undefined) {
      progress = { unfinished: new Set(), position: 0 };
      this.#partitions.set(name, progress);
    }
    return progress;
  }
}
