import type { TopicPartition } from '../../clients/client.js';
import type { OffsetToCommit } from '../../clients/group-consumer.js';
import { partitionName } from '../../clients/partition-name.js';

/** What a group's consumer is to commit: one commit at a time, of everything that has come together meanwhile. */
export class OffsetCommits {
  readonly #commit: (offsets: readonly OffsetToCommit[]) => Promise<void>;
  readonly #wanted = new Map<string, OffsetToCommit>();
  readonly #committed = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();

  constructor(commit: (offsets: readonly OffsetToCommit[]) => Promise<void>) {
    this.#commit = commit;
  }

  /** This much is committed already. */
  begin(place: OffsetToCommit): void {
    this.#committed.set(partitionName(place), place.offset);
  }

  put(place: OffsetToCommit): void {
    const name = partitionName(place);
    if (this.#committed.get(name) === place.offset) this.#wanted.delete(name);
    else this.#wanted.set(name, place);
  }

  /** Resolves when everything put so far is committed, durably. What could not be is tried again by the next. */
  flush(): Promise<void> {
    // What went wrong before was told to whoever asked then.
    this.#running = this.#running.catch(() => {}).then(() => this.#commitWanted());
    return this.#running;
  }

  /** These belong to somebody else. */
  drop(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      this.#wanted.delete(partitionName(partition));
      this.#committed.delete(partitionName(partition));
    }
  }

  async #commitWanted(): Promise<void> {
    const offsets = [...this.#wanted.values()];
    if (offsets.length === 0) return;
    await this.#commit(offsets);
    for (const place of offsets) {
      const wanted = this.#wanted.get(partitionName(place));
      // It belongs to somebody else by now.
      if (wanted === undefined) continue;
      // Else more has come meanwhile.
      if (wanted.offset === place.offset) this.#wanted.delete(partitionName(place));
      this.begin(place);
    }
  }
}
