import type { GroupSubscription } from './assignor.js';
import { byText } from './member-order.js';
import { MembersByLoad } from './members-by-load.js';
import { PartitionMovements } from './partition-movements.js';
import type { PartitionTable } from './partition-table.js';
import type { PreviousOwners } from './previous-owners.js';

/**
 * The sticky assignment where members subscribe to different topics: everyone keeps what it may keep, what is left goes
 * to whoever has the fewest, then partitions are moved as long as that makes it more balanced.
 */
export class GeneralStickyAssignment {
  readonly #table: PartitionTable;
  readonly #members: readonly GroupSubscription[];
  readonly #topics: ReadonlyMap<string, ReadonlySet<string>>;
  /** By topic: the ids of its subscribers. */
  readonly #subscribers = new Map<string, string[]>();
  readonly #assigned = new Map<string, number[]>();
  /** By partition: the member it is with now. */
  readonly #ownerOf = new Map<number, string>();
  /** By partition: who had it in an earlier generation than the last. */
  readonly #formerOwnerOf = new Map<number, { readonly memberId: string; readonly generationId: number }>();
  readonly #movements: PartitionMovements;
  #balance: MembersByLoad;
  #mustRevoke = false;

  constructor(members: readonly GroupSubscription[], table: PartitionTable, { owned }: PreviousOwners) {
    this.#table = table;
    this.#members = members;
    this.#movements = new PartitionMovements(table);
    this.#topics = new Map(
      members.map(({ memberId, topics }) => [memberId, new Set(topics.filter((topic) => table.has(topic)))]),
    );
    for (const topic of table.topics) {
      const subscribers = members.filter(({ memberId }) => this.#subscribes(memberId, topic));
      this.#subscribers.set(
        topic,
        subscribers.map(({ memberId }) => memberId),
      );
    }
    this.#keepOwned(owned);
    this.#noteFormerOwners();
    this.#balance = new MembersByLoad(this.#assigned);
  }

  assign(): Map<string, number[]> {
    const all = this.#partitionsInOrder();
    const unassigned = all.filter((number) => !this.#ownerOf.has(number));
    const startsFromNothing = this.#balance.loadOf(this.#balance.sorted.at(-1)!) === 0;
    for (const number of unassigned) this.#give(number);

    const movable = (number: number) => this.#subscribers.get(this.#table.topicOf(number))!.length > 1;
    const settled = new Set(
      this.#members.map(({ memberId }) => memberId).filter((memberId) => this.#cannotChange(memberId)),
    );
    this.#balance = this.#balance.without(settled);
    const before = new Map([...this.#assigned].map(([memberId, numbers]) => [memberId, [...numbers]]));
    const scoreBefore = this.#score();
    // New partitions are moved first: that takes nothing away from anybody.
    if (!this.#mustRevoke) this.#move(unassigned.filter(movable));
    const moved = this.#move(all.filter(movable));
    return !startsFromNothing && moved && this.#score() >= scoreBefore ? before : this.#assigned;
  }

  #subscribes(memberId: string, topic: string): boolean {
    return this.#topics.get(memberId)!.has(topic);
  }

  #keepOwned(owned: ReadonlyMap<string, number[]>): void {
    for (const { memberId } of this.#members) {
      const kept = owned.get(memberId)!.filter((number) => this.#subscribes(memberId, this.#table.topicOf(number)));
      if (kept.length < owned.get(memberId)!.length) this.#mustRevoke = true;
      this.#assigned.set(memberId, kept);
      for (const number of kept) this.#ownerOf.set(number, memberId);
    }
  }

  #noteFormerOwners(): void {
    const last = Math.max(...this.#members.map(({ generationId }) => generationId));
    for (const { memberId, generationId, ownedPartitions } of this.#members) {
      if (generationId >= last) continue;
      for (const number of this.#table.numbersOf(ownedPartitions)) {
        const known = this.#formerOwnerOf.get(number);
        if (known === undefined || generationId > known.generationId) {
          this.#formerOwnerOf.set(number, { memberId, generationId });
        }
      }
    }
  }

  /** Those of the topics with the fewest subscribers first: they can go to the fewest members. */
  #partitionsInOrder(): number[] {
    const subscribers = (topic: string) => this.#subscribers.get(topic)!.length;
    const topics = this.#table.topics.toSorted((a, b) => subscribers(a) - subscribers(b) || byText(a, b));
    return topics.flatMap((topic) => this.#table.ofTopic(topic));
  }

  /** To whoever of the subscribers has the fewest. */
  #give(number: number): void {
    const memberId = this.#lightestFor(number);
    this.#balance.add(memberId, number);
    this.#ownerOf.set(number, memberId);
  }

  #lightestFor(number: number): string {
    const topic = this.#table.topicOf(number);
    const lightest = this.#balance.sorted.find((memberId) => this.#subscribes(memberId, topic));
    // A topic is in the table because somebody subscribes to it.
    if (lightest === undefined) throw new TypeError(`nobody subscribes to ${topic}`);
    return lightest;
  }

  /** It has all it can have, and nobody else can have any of it. */
  #cannotChange(memberId: string): boolean {
    if (this.#balance.loadOf(memberId) < this.#mostFor(memberId)) return false;
    const topics = this.#balance.partitionsOf(memberId).map((number) => this.#table.topicOf(number));
    return topics.every((topic) => this.#subscribers.get(topic)!.length < 2);
  }

  #mostFor(memberId: string): number {
    let most = 0;
    for (const topic of this.#topics.get(memberId)!) most += this.#table.ofTopic(topic).length;
    return most;
  }

  /** Moves what makes it more balanced until nothing does. Returns whether it moved anything. */
  #move(numbers: readonly number[]): boolean {
    let movedAny = false;
    for (let moved = true; moved; movedAny ||= moved) {
      moved = false;
      for (const number of numbers) {
        if (this.#isBalanced()) break;
        moved = this.#moveOne(number) || moved;
      }
    }
    return movedAny;
  }

  #moveOne(number: number): boolean {
    const owner = this.#ownerOf.get(number)!;
    const load = this.#balance.loadOf(owner);
    const topic = this.#table.topicOf(number);
    const former = this.#formerOwnerOf.get(number)?.memberId;
    if (
      former !== undefined &&
      this.#subscribes(former, topic) &&
      this.#balance.has(former) &&
      load > this.#balance.loadOf(former) + 1
    ) {
      this.#reassign(number, former);
      return true;
    }
    if (!this.#subscribers.get(topic)!.some((other) => load > this.#balance.loadOf(other) + 1)) return false;
    this.#reassign(number, this.#lightestFor(number));
    return true;
  }

  #reassign(number: number, to: string): void {
    const moving = this.#movements.toMoveInsteadOf(number, this.#ownerOf.get(number)!, to);
    const from = this.#ownerOf.get(moving)!;
    this.#movements.record(moving, from, to);
    this.#balance.remove(from, moving);
    this.#balance.add(to, moving);
    this.#ownerOf.set(moving, to);
  }

  #isBalanced(): boolean {
    const sorted = this.#balance.sorted;
    const fewest = this.#balance.loadOf(sorted[0]!);
    const most = this.#balance.loadOf(sorted.at(-1)!);
    if (fewest >= most - 1) return true;
    // Nobody can get anything from somebody who has at least two more.
    for (const memberId of sorted) {
      const load = this.#balance.loadOf(memberId);
      if (load === this.#mostFor(memberId)) continue;
      for (const topic of this.#topics.get(memberId)!) {
        for (const number of this.#table.ofTopic(topic)) {
          const owner = this.#ownerOf.get(number)!;
          if (owner !== memberId && this.#balance.has(owner) && load + 1 < this.#balance.loadOf(owner)) return false;
        }
      }
    }
    return true;
  }

  /** The sum of the differences between any two members: 0 is perfect. */
  #score(): number {
    const loads = this.#balance.sorted.map((memberId) => this.#balance.loadOf(memberId));
    let score = 0;
    for (const [index, load] of loads.entries()) {
      for (const other of loads.slice(index + 1)) score += Math.abs(load - other);
    }
    return score;
  }
}
