/**
 * Who of many has the smallest key, and who comes next: a tree of losers. Each inner node keeps who lost there, place 0
 * who never did; so when the winner's key grows, only its own way up is played again.
 *
 *            [0] 5              keys of 4 5 6 7 (leaves, not stored): 7 2 9 4
 *            [1] 7
 *      [2] 4       [3] 6        a leaf's parent is half its number, as in any heap
 *     4     5     6     7
 *
 * Of equal keys that of the lower number wins. A key of Infinity takes no part.
 */
export class Tournament {
  readonly #keys: Float64Array;
  readonly #losers: Int32Array;

  constructor(size: number) {
    this.#keys = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.#losers = new Int32Array(Math.max(1, size));
  }

  /** -1: nobody takes part. */
  get winner(): number {
    const winner = this.#losers[0]!;
    return this.#keys.length > 0 && this.#keys[winner]! < Number.POSITIVE_INFINITY ? winner : -1;
  }

  /** Anybody's key. What the tree says is right again after {@link playAll}. */
  setKey(number: number, key: number): void {
    this.#keys[number] = key;
  }

  playAll(): void {
    const losers = this.#losers;
    const size = this.#keys.length;
    // Who won at each node, to be played against the winner of the one beside it.
    const winners = Int32Array.from({ length: 2 * size }, (_, node) => node - size);
    for (let node = size - 1; node > 0; node--) {
      const [left, right] = [winners[2 * node]!, winners[2 * node + 1]!];
      const isLeft = this.#isBefore(left, right);
      winners[node] = isLeft ? left : right;
      losers[node] = isLeft ? right : left;
    }
    losers[0] = size > 1 ? winners[1]! : 0;
  }

  /** Gives the winner another key; the winner then may be another one. */
  replaceWinner(key: number): void {
    const keys = this.#keys;
    const losers = this.#losers;
    let winner = losers[0]!;
    let least = key;
    keys[winner] = key;
    for (let node = (winner + keys.length) >>> 1; node > 0; node >>>= 1) {
      const other = losers[node]!;
      const otherKey = keys[other]!;
      if (otherKey < least || (otherKey === least && other < winner)) {
        losers[node] = winner;
        winner = other;
        least = otherKey;
      }
    }
    losers[0] = winner;
  }

  /** The winner stays the winner with every integer key below this. */
  winnersLimit(): number {
    const keys = this.#keys;
    const losers = this.#losers;
    const winner = losers[0]!;
    let limit = Number.POSITIVE_INFINITY;
    // The second best has lost to nobody but the best.
    for (let node = (winner + keys.length) >>> 1; node > 0; node >>>= 1) {
      const other = losers[node]!;
      const otherLimit = winner < other ? keys[other]! + 1 : keys[other]!;
      if (otherLimit < limit) limit = otherLimit;
    }
    return limit;
  }

  #isBefore(a: number, b: number): boolean {
    const [keyOfA, keyOfB] = [this.#keys[a]!, this.#keys[b]!];
    return keyOfA < keyOfB || (keyOfA === keyOfB && a < b);
  }
}
