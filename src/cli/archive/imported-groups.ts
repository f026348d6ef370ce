import type { ArchivedGroup, ArchivedOffset } from '../../archive/archive-format.js';
import type { Admin } from '../../clients/admin.js';
import type { NewGroupOffset } from '../../clients/group-admin.js';
import type { GroupSnapshot } from '../../clients/log-snapshot.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import { counted } from '../listing.js';
import { type Loudness, notice } from '../notices.js';

/** What groups had committed of the topics of an archive, to be committed again. */
export class ImportedGroups {
  readonly #groups = new Map<string, ArchivedOffset[]>();
  readonly #committed = new Set<string>();

  /** A part of a group. */
  add({ group, offsets }: ArchivedGroup): void {
    const others = this.#groups.get(group) ?? [];
    others.push(...offsets);
    this.#groups.set(group, others);
  }

  /** Of topics that are made: they come with what is committed of them. */
  ofNewTopics(topics: ReadonlySet<string>): GroupSnapshot[] {
    const snapshots = [...this.#groups].map(([groupId, archived]) => {
      return { groupId, offsets: archived.filter(({ topic }) => topics.has(topic)) };
    });
    const some = snapshots.filter(({ offsets }) => offsets.length > 0);
    for (const { groupId } of some) this.#committed.add(groupId);
    return some;
  }

  /**
   * Of topics that were there, and hold the records by now. A group that is there already is only moved on, never back,
   * and not while its members read. Killed before, a group begins at the start of them: it reads again, and skips
   * nothing.
   */
  async commit(admin: Admin, topics: ReadonlySet<string>, loudness: Loudness, context: CliContext): Promise<void> {
    for (const [group, archived] of this.#groups) {
      const offsets = archived.filter(({ topic }) => topics.has(topic));
      if (await this.#commitOne(admin, group, offsets, loudness, context)) this.#committed.add(group);
    }
    const { size } = this.#committed;
    if (size > 0) notice(loudness, context, `committed the offsets of ${counted(size, 'group')}`);
  }

  async #commitOne(
    admin: Admin,
    group: string,
    archived: readonly NewGroupOffset[],
    loudness: Loudness,
    context: CliContext,
  ): Promise<boolean> {
    if (archived.length === 0) return false;
    const committed = await committedOf(admin, group);
    const offsets = archived.filter(
      ({ topic, partition, offset }) => offset > (committed.get(`${topic}:${partition}`) ?? -1),
    );
    if (offsets.length === 0) return false;
    try {
      await admin.alterGroupOffsets(group, offsets);
      return true;
    } catch (error) {
      if (!(error instanceof KlogError && error.code === 'NON_EMPTY_GROUP')) throw error;
      notice(loudness, context, `warning: ${error.message}: its offsets are left as they are`);
      return false;
    }
  }
}

async function committedOf(admin: Admin, group: string): Promise<ReadonlyMap<string, number>> {
  try {
    const [description] = await admin.describeGroups([group]);
    const offsets = description?.offsets ?? [];
    return new Map(offsets.map(({ topic, partition, committedOffset }) => [`${topic}:${partition}`, committedOffset]));
  } catch (error) {
    if (error instanceof KlogError && error.code === 'GROUP_ID_NOT_FOUND') return new Map();
    throw error;
  }
}
