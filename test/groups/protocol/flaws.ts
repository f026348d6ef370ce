import type { Flaw } from '../../support/load-with-flaw.js';

type Change = Pick<Flaw, 'file' | 'find' | 'replace'>;

/**
 * The wrong variants of the group protocol that its model catches (`-DBROKEN_…` of groups.pml), as changes of the
 * source. When a test says that one is out of date, find the place that the rule has moved to; do not drop the flaw.
 */
const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  NO_RELEASE: [
    {
      file: 'groups/group-state.ts',
      find: 'return own.assigned.filter((partition) => !others.some(({ held }) => held.has(partition)));',
      replace: 'return others.length < 0 ? PartitionSet.empty : own.assigned;',
    },
  ],
  RELEASE_FIRST: [
    {
      file: 'groups/group-member.ts',
      find: 'const stopped = own.size === 0 ? [] : await this.#worker.stop([...own]);',
      replace: `await this.#log.decide(this.groupId, ({ state }) => ({ state: release(state, this, partitions) }));
    const stopped = own.size === 0 ? [] : await this.#worker.stop([...own]);`,
    },
  ],
  PREVIOUS_OWNER: [
    {
      file: 'groups/decisions/rebalance.ts',
      find: 'held: member.held.union(assigned) });',
      replace: 'held: member.assigned.union(assigned) });',
    },
    // Who is not named as a holder any more cannot be refused for that: it would be noticed too early.
    {
      file: 'groups/decisions/offsets.ts',
      find: 'for (const partition of partitions) if (!member.held.has(partition)) throw notHeld(committer, partition);',
      replace: 'void partitions; void notHeld;',
    },
  ],
  GENERATION_FENCE: [
    {
      file: 'groups/group-member.ts',
      find: `const decide: GroupDecision = ({ state }) => {
      checkCommit(state, this, commits);
      return`,
      replace: `const { generation } = this.#log.state(this.groupId);
    const decide: GroupDecision = ({ state }) => {
      if (state.generation !== generation) throw notMember(this.groupId, this.memberId);
      checkCommit(state, this, commits);
      return`,
    },
  ],
  CHECK_THEN_APPEND: [
    {
      file: 'groups/group-member.ts',
      find: `const decide: GroupDecision = ({ state }) => {
      checkCommit(state, this, commits);
      return`,
      replace: `checkCommit(this.#log.state(this.groupId), this, commits);
    const decide: GroupDecision = () => {
      return`,
    },
  ],
  BLIND_REBALANCE: [
    {
      file: 'groups/group-runtime.ts',
      find: 'await this.#decide([], (group, all) => asChange(rebalance(group.state, all)));',
      replace: `const blind = rebalance(state, { ...facts, counts: this.#decisions.counts });
    await this.#decide([], () => asChange(blind));`,
    },
  ],
  FREE_LOCK_START: [
    {
      file: 'groups/group-runtime.ts',
      find: 'for (const { member } of this.#locals.values()) member.follow();',
      replace: `for (const { member } of this.#locals.values()) {
          member.free = this.#deaths.free;
          member.follow();
        }`,
    },
    {
      file: 'groups/group-member.ts',
      find: 'lock: MemberLock;\n',
      replace: 'lock: MemberLock;\n  free: ReadonlyMap<string, number> = new Map();\n',
    },
    {
      file: 'groups/group-member.ts',
      find: 'const coming = idle(readableBy(state, this.memberId).without(this.#working));',
      replace: `const dead = [...state.members.values()].filter(({ memberId }) => this.free.has(memberId));
    const left = dead.reduce((all, { held }) => all.union(held), PartitionSet.empty);
    const coming = idle(readableBy(state, this.memberId).union(left).without(this.#working));`,
    },
    {
      file: 'groups/group-member.ts',
      find: 'const started = readableBy(group.state, this.memberId).and(partitions);',
      replace: 'const started = partitions;',
    },
    {
      file: 'groups/group-member.ts',
      find: 'await this.#log.refresh();\n    const group =',
      replace: 'const group =',
    },
  ],
  PATH_IS_PROOF: [
    {
      file: 'groups/lock-files.ts',
      find: 'if (file === undefined) return false;',
      replace: 'if (file === undefined) return true;',
    },
    {
      file: 'groups/lock-files.ts',
      find: 'if ((await file.stat()).inode !== inode) return false;',
      replace: 'if ((await file.stat()).inode !== inode) return true;',
    },
    {
      file: 'groups/lock-files.ts',
      find: 'if (known?.inode === inode) return isFree(known.file);',
      replace: 'void known;',
    },
    {
      file: 'groups/lock-files.ts',
      find: 'return known?.inode === inode && !isFree(known.file);',
      replace: 'return known === inode;',
    },
  ],
  PROBE_MEMBERS: [
    {
      file: 'groups/group-runtime.ts',
      find: 'await this.#decide([], (group, all) => asChange(rebalance(group.state, all)));',
      replace: `await this.#decide([], (group, all) => {
      const next = rebalance(group.state, all);
      if (next === undefined) return undefined;
      const members = new Map(next.members);
      for (const [memberId, member] of this.#deaths.seen) {
        const isHeld = this.#locals.has(memberId) || this.#deaths.isHeld(memberId, member.place.inode);
        if (!members.has(memberId) && isHeld) members.set(memberId, { ...member, held: PartitionSet.empty });
      }
      return { state: nextGeneration({ ...next, members }, all.counts) };
    });`,
    },
    {
      file: 'groups/death-watch.ts',
      find: 'await this.#probe.retain(new Set(this.others.map(({ memberId }) => memberId)));',
      replace: '',
    },
    {
      file: 'groups/death-watch.ts',
      find: '#next = 0;',
      replace: `#next = 0;
  readonly seen = new Map();

  isHeld(memberId, inode) {
    return this.#probe.isHeld(memberId, inode);
  }`,
    },
    {
      file: 'groups/death-watch.ts',
      find: 'for (const { memberId, place } of members) {',
      replace: `for (const member of members) this.seen.set(member.memberId, member);
    for (const { memberId, place } of members) {`,
    },
    {
      file: 'groups/group-runtime.ts',
      find: "import { MemberLock } from './lock-files.js';",
      replace: `import { MemberLock } from './lock-files.js';
import { nextGeneration } from './decisions/rebalance.js';
import { PartitionSet } from './partition-set.js';`,
    },
  ],
  COORDINATOR_LOCK: [
    {
      file: 'groups/partition-counts.ts',
      find: 'let counts = await this.lookUp(new Set([...topics, ...topicsOf(this.#log.state(this.#groupId))]));',
      replace: `const lock = await this.#topics.coordinatorLock();
    try {
      const counts = await this.lookUp(new Set([...topics, ...topicsOf(this.#log.state(this.#groupId))]));
      return await this.decideWith(counts, decide, before);
    } finally {
      await lock.close();
    }
  }

  async decideWith(counts, decide, before) {`,
    },
  ],
  RING_ONLY: [
    {
      file: 'groups/group-runtime.ts',
      find: 'await this.#deaths.lookAround();\n    await this.#keepLocks();',
      replace: 'await this.#keepLocks();',
    },
  ],
};

export function groupFlaw(name: string): readonly Flaw[] {
  const changes = CHANGES[name];
  if (changes === undefined) throw new Error(`no flaw ${name}`);
  return changes.map((change) => ({ name, model: 'groups', ...change }));
}

export const GROUP_FLAWS = Object.keys(CHANGES);
