import { byText } from './member-order.js';

/** Members with what they are assigned, walked through from the one with the fewest partitions; ties by id. */
export class MembersByLoad {
  readonly #assigned: Map<string, number[]>;
  #sorted: string[];

  constructor(assigned: Map<string, number[]>) {
    this.#assigned = assigned;
    this.#sorted = [...assigned.keys()].sort((a, b) => this.#compare(a, b));
  }

  /** From the fewest to the most. Not to be walked on after a change. */
  get sorted(): readonly string[] {
    return this.#sorted;
  }

  has(memberId: string): boolean {
    return this.#assigned.has(memberId);
  }

  loadOf(memberId: string): number {
    return this.#assigned.get(memberId)!.length;
  }

  partitionsOf(memberId: string): readonly number[] {
    return this.#assigned.get(memberId)!;
  }

  add(memberId: string, number: number): void {
    this.#change(memberId, (partitions) => partitions.push(number));
  }

  remove(memberId: string, number: number): void {
    this.#change(memberId, (partitions) => partitions.splice(partitions.indexOf(number), 1));
  }

  /** Without these members: what they have is theirs. */
  without(memberIds: ReadonlySet<string>): MembersByLoad {
    return new MembersByLoad(new Map([...this.#assigned].filter(([memberId]) => !memberIds.has(memberId))));
  }

  #change(memberId: string, change: (partitions: number[]) => void): void {
    this.#sorted.splice(this.#placeOf(memberId), 1);
    change(this.#assigned.get(memberId)!);
    this.#sorted.splice(this.#placeOf(memberId), 0, memberId);
  }

  /** Where it stands, or belongs. */
  #placeOf(memberId: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#sorted[middle]!, memberId) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compare(a: string, b: string): number {
    return this.loadOf(a) - this.loadOf(b) || byText(a, b);
  }
}
