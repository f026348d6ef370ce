import type { ArchivedGroup, ArchivedOffset } from '../../archive/archive-format.js';
import type { Admin } from '../../clients/admin.js';
import type { NewGroupOffset } from '../../clients/group-admin.js';
import { KlogError } from '../../errors.js';
import type { CliContext } from '../cli-context.js';
import { counted } from '../listing.js';
import { type Loudness, notice } from '../notices.js';

/** What groups had committed of the topics of an archive, committed again when these are there. */
export class ImportedGroups {
  readonly #groups = new Map<string, ArchivedOffset[]>();

  /** A part of a group. */
  add({ group, offsets }: ArchivedGroup): void {
    const others = this.#groups.get(group) ?? [];
    others.push(...offsets);
    this.#groups.set(group, others);
  }

  /** A group that is there already is only moved on, never back, and not while its members read. */
  async commit(admin: Admin, topics: ReadonlySet<string>, loudness: Loudness, context: CliContext): Promise<void> {
    let groups = 0;
    for (const [group, archived] of this.#groups) {
      const offsets = archived.filter(({ topic }) => topics.has(topic));
      if (await this.#commitOne(admin, group, offsets, loudness, context)) groups++;
    }
    if (groups > 0) notice(loudness, context, `committed the offsets of ${counted(groups, 'group')}`);
  }

  async #commitOne(
    admin: Admin,
    group: string,
    archived: readonly NewGroupOffset[],
    loudness: Loudness,
    context: CliContext,
  ): Promise<boolean> {
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
