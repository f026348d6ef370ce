/**
 * Who dies causes no event. The processes of a group stand in a ring, and each looks at its predecessor's lock every 50
 * ms; behind it everybody looks at everybody every 100 ms, because a stopped process looks at nobody. Both are polls: a
 * wait in the kernel could not be taken back, and would keep a process alive that is done.
 */
import type { FileSystem } from '../storage/file-system.js';
import type { GroupState, MemberState } from './group-state.js';
import { LockProbe } from './lock-files.js';
import { predecessorOf } from './ring.js';

/** Locks that are looked at in one poll: of a larger group it takes some polls to look at everybody. */
const PROBES_AT_ONCE = 32;

export interface DeathWatchOptions {
  readonly fs: FileSystem;
  /** Of the lock files. */
  readonly directory: string;
  readonly pid: number;
  /** The group as it was last read. */
  readonly state: () => GroupState;
  /** Members of this process need no look. */
  readonly isOwn: (memberId: string) => boolean;
  /** Somebody's lock was found free. */
  readonly onFree: () => void;
}

interface Neighbours {
  readonly of: GroupState | undefined;
  readonly others: readonly MemberState[];
  readonly predecessor: MemberState | undefined;
}

const NOBODY: Neighbours = { of: undefined, others: [], predecessor: undefined };

/** Looks at the locks of a group's members in other processes. */
export class DeathWatch {
  readonly #options: DeathWatchOptions;
  readonly #probe: LockProbe;
  readonly #free = new Map<string, number>();
  /** Made of the last state that was looked at. */
  #known: Neighbours = NOBODY;
  #next = 0;

  constructor(options: DeathWatchOptions) {
    this.#options = options;
    this.#probe = new LockProbe(options.fs, options.directory);
  }

  /** Members whose locks were found free, and not yet said to be dead, with the inode of the lock file. */
  get free(): ReadonlyMap<string, number> {
    return this.#free;
  }

  /** The members of other processes. */
  get others(): readonly MemberState[] {
    return this.#neighbours().others;
  }

  /** Whether the predecessor in the ring was seen to live, in a call that never waits; also where there is none. */
  get predecessorLives(): boolean {
    const { predecessor } = this.#neighbours();
    return predecessor?.place === undefined || this.#probe.isHeld(predecessor.memberId, predecessor.place.inode);
  }

  async lookAtPredecessor(): Promise<void> {
    const { predecessor } = this.#neighbours();
    if (predecessor !== undefined) await this.lookAt([predecessor]);
  }

  /** Looks at everybody; of many others at some, and at the next ones in the next poll. */
  async lookAround(): Promise<void> {
    const { others } = this.#neighbours();
    if (others.length <= PROBES_AT_ONCE) return await this.lookAt(others);
    const from = this.#next % others.length;
    this.#next = from + PROBES_AT_ONCE;
    await this.lookAt([...others, ...others].slice(from, from + PROBES_AT_ONCE));
  }

  async lookAt(members: readonly MemberState[]): Promise<void> {
    for (const { memberId, place } of members) {
      // It has another file by now: the number of the one that was free may become that of a third.
      if (this.#free.get(memberId) !== place?.inode) this.#free.delete(memberId);
      if (place === undefined || this.#free.get(memberId) === place.inode || this.#options.isOwn(memberId)) continue;
      if (this.#probe.isHeld(memberId, place.inode)) continue;
      if (!(await this.#probe.isFree(memberId, place.inode))) continue;
      this.#free.set(memberId, place.inode);
      this.#options.onFree();
    }
  }

  /** The group's record says that it is dead: what it has left goes. */
  async bury({ memberId, place }: MemberState): Promise<void> {
    this.#free.delete(memberId);
    if (place !== undefined) await this.#probe.removeFile(memberId, place.inode);
  }

  /** Lets go of the files of those that are members no more. */
  async forgetFormer(): Promise<void> {
    const { members } = this.#options.state();
    for (const memberId of [...this.#free.keys()]) if (!members.has(memberId)) this.#free.delete(memberId);
    await this.#probe.retain(new Set(this.others.map(({ memberId }) => memberId)));
  }

  /** Members of this process have come or gone. */
  ownChanged(): void {
    this.#known = NOBODY;
  }

  async close(): Promise<void> {
    await this.#probe.close();
  }

  #neighbours(): Neighbours {
    const state = this.#options.state();
    if (this.#known.of !== state) {
      const others = [...state.members.values()].filter(({ memberId }) => !this.#options.isOwn(memberId));
      this.#known = { of: state, others, predecessor: predecessorOf(state, this.#options.pid) };
    }
    return this.#known;
  }
}
