/** What groups have committed in a state, held against what was promised, and against what was there before. */
import type { Client } from '../../../src/clients/client.js';
import { BrokenPromise } from './read-everything.js';
import type { Transcript } from './transcript.js';

/** By group, topic and partition, with a space between them: the offset of the next record to be handled. */
export type Commits = ReadonlyMap<string, number>;

export async function readCommits(client: Client): Promise<Commits> {
  const admin = client.admin();
  const found = new Map<string, number>();
  const groups = await admin.listGroups();
  for (const { groupId, offsets } of await admin.describeGroups(groups.map((group) => group.groupId))) {
    for (const { topic, partition, committedOffset, logEndOffset } of offsets) {
      if (committedOffset < 0) continue;
      const place = `${groupId} ${topic} ${partition}`;
      if (committedOffset > logEndOffset) {
        throw new BrokenPromise(`${place} is committed at ${committedOffset}, and the log ends at ${logEndOffset}`);
      }
      found.set(place, committedOffset);
    }
  }
  return found;
}

/** Not before what was said to be committed, nor behind what was handled. */
export function commitsHold({ commits }: Transcript, found: Commits): void {
  for (const [place, { fewest, most }] of commits) {
    const offset = found.get(place) ?? -1;
    if (offset < fewest) throw new BrokenPromise(`${place} was committed at ${fewest}, and is at ${offset}`);
    if (offset > most) throw new BrokenPromise(`${place} is at ${offset}, and no more than ${most} was handled`);
  }
  for (const place of found.keys()) if (!commits.has(place)) throw new BrokenPromise(`${place}: nobody's commit`);
}

/** No group goes back. */
export function commitsContain(found: Commits, earlier: Commits, what: string): void {
  for (const [place, offset] of earlier) {
    const now = found.get(place) ?? -1;
    if (now < offset) throw new BrokenPromise(`${place} is at ${now}, and was at ${offset}: ${what}`);
  }
}

/** Each group commits once more what it has committed: that it can is what is tried. */
export async function commitAgain(client: Client, commits: Commits): Promise<void> {
  for (const [place, offset] of commits) {
    const [group = '', topic = '', partition] = place.split(' ');
    const again = { topic, partition: Number(partition), offset, metadata: 'again' };
    await client.admin().alterGroupOffsets(group, [again], { force: true });
  }
}
