import type { GroupSubscription } from './assignor.js';
import type { PartitionTable } from './partition-table.js';

/** What the members say they have had, with the contradictions solved. */
export interface PreviousOwners {
  /** By member id: the partitions that nobody of a later generation claims too. */
  readonly owned: ReadonlyMap<string, number[]>;
  /** Claimed by several of the same generation: nobody keeps them. */
  readonly doublyClaimed: ReadonlySet<number>;
}

export function previousOwners(members: readonly GroupSubscription[], table: PartitionTable): PreviousOwners {
  const owned = new Map<string, Set<number>>();
  const doublyClaimed = new Set<number>();
  const ownerOf = new Map<number, GroupSubscription>();
  for (const member of members) {
    const own = new Set<number>();
    owned.set(member.memberId, own);
    for (const number of table.numbersOf(member.ownedPartitions)) {
      const other = ownerOf.get(number);
      if (other !== undefined && member.generationId < other.generationId) continue;
      ownerOf.set(number, member);
      if (other !== undefined) owned.get(other.memberId)!.delete(number);
      if (other !== undefined && member.generationId === other.generationId) doublyClaimed.add(number);
      else own.add(number);
    }
  }
  return { owned: new Map([...owned].map(([memberId, own]) => [memberId, [...own]])), doublyClaimed };
}
