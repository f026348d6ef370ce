import { javaStringHash } from '../../format/coordinator/group-partition.js';
import { firstInHashOrder } from './member-order.js';
import type { PartitionTable } from './partition-table.js';

interface Move {
  readonly from: string;
  readonly to: string;
}

/**
 * What balancing has moved so far, so that nothing moves from A to B while something of the same topic moves from B to
 * A: then the latter rather goes back.
 */
export class PartitionMovements {
  readonly #table: PartitionTable;
  readonly #moves = new Map<number, Move>();

  constructor(table: PartitionTable) {
    this.#table = table;
  }

  /** Which partition of the same topic to move from `from` to `to`, where `number` was to be. */
  toMoveInsteadOf(number: number, from: string, to: string): number {
    const origin = this.#moves.get(number)?.from ?? from;
    const topic = this.#table.topicOf(number);
    const back: number[] = [];
    for (const [moved, move] of this.#moves) {
      if (move.from === to && move.to === origin && this.#table.topicOf(moved) === topic) back.push(moved);
    }
    return back.length === 0 ? number : firstInHashOrder(back, back.length, (moved) => this.#hashOf(moved));
  }

  /** A chain of moves counts as one; one that ends where it began, as none. */
  record(number: number, from: string, to: string): void {
    const origin = this.#moves.get(number)?.from ?? from;
    this.#moves.delete(number);
    if (origin !== to) this.#moves.set(number, { from: origin, to });
  }

  #hashOf(number: number): number {
    return (Math.imul(31 + this.#table.partitionOf(number), 31) + javaStringHash(this.#table.topicOf(number))) | 0;
  }
}
