import type { FileSystem } from '../storage/file-system.js';
import { type GroupState, readableBy } from './group-state.js';
import type { PartitionSet } from './partition-set.js';

/** Partitions that are a member's to read, and that another has not let go of for a while. */
export interface HoldUp {
  /** Who has them. */
  readonly memberId: string;
  /** -1: unknown. */
  readonly pid: number;
  /** Its process is stopped: it lets go of nothing until it is continued, or evicted. */
  readonly isStopped: boolean;
  readonly partitions: PartitionSet;
}

/** Finishing what is in hand and letting go of it takes less, as a rule. */
const TELL_AFTER_MS = 2000;

/** Tells of whoever holds a member up, once as long as that goes on. */
export class HoldUps {
  readonly #fs: Pick<FileSystem, 'isProcessStopped'>;
  /** The last state in which nobody held anybody up: most looks are at the same again. */
  #calm: GroupState | undefined;
  /** By holder. */
  readonly #known = new Map<string, { readonly since: number; isTold: boolean }>();

  constructor(fs: Pick<FileSystem, 'isProcessStopped'>) {
    this.#fs = fs;
  }

  /** What is to be told now, in milliseconds that never go back. */
  look(state: GroupState, memberId: string, now: number): HoldUp[] {
    if (state === this.#calm) return [];
    const told: HoldUp[] = [];
    const awaited = state.members.get(memberId)?.assigned.without(readableBy(state, memberId));
    for (const { memberId: holder, held, place } of state.members.values()) {
      const partitions = awaited === undefined || holder === memberId ? undefined : held.and(awaited);
      if (partitions === undefined || partitions.size === 0) {
        this.#known.delete(holder);
        continue;
      }
      const known = this.#known.get(holder) ?? { since: now, isTold: false };
      this.#known.set(holder, known);
      if (known.isTold || now - known.since < TELL_AFTER_MS) continue;
      known.isTold = true;
      const pid = place?.pid ?? -1;
      told.push({
        memberId: holder,
        pid,
        isStopped: pid >= 0 && this.#fs.isProcessStopped?.(pid) === true,
        partitions,
      });
    }
    for (const holder of this.#known.keys()) if (!state.members.has(holder)) this.#known.delete(holder);
    if (this.#known.size === 0) this.#calm = state;
    return told;
  }
}
