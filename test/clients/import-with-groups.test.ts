/** New topics come with what groups have committed of them, or not at all. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LocalAdmin } from '../../src/clients/local/local-admin.js';
import { KlogError } from '../../src/errors.js';
import { Groups } from '../../src/groups/groups.js';
import type { FileSystem } from '../../src/storage/file-system.js';
import { openStore } from '../../src/store/store.js';
import { interpose, killedAt, unsyncedFileSystem } from '../store/interposed-file-system.js';
import { buildBatch } from '../support/build-batch.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const seams = { now: () => 1000, elapsed: () => performance.now() };
const PLACE = { topic: 't', partition: 0 };
const COMMITTED = [{ groupId: 'g', offsets: [{ ...PLACE, offset: 2, metadata: 'm' }] }];

/** What a process has of a directory; as the client has it, topics that are made begin without commits. */
async function openAdmin(fs: FileSystem, path: string) {
  const store = await openStore(fs, path, { create: true });
  const groups = new Groups(store, seams);
  store.onTopicNames = (topics) => groups.forgetTopics(topics);
  const admin = new LocalAdmin(store, async () => groups, seams.now);
  const close = async () => {
    await groups.close();
    await store.close();
  };
  return { admin, close };
}

async function importAll(admin: LocalAdmin, beforeCommit = () => {}): Promise<void> {
  const filled = await admin.importTopics([{ topic: 't' }]);
  await filled.append(PLACE, Buffer.from(buildBatch(['a', 'b', 'c'])));
  beforeCommit();
  await filled.commit(COMMITTED);
}

async function committedIn(admin: LocalAdmin) {
  const listed = await admin.listGroups();
  if (listed.length === 0) return [];
  const [group] = await admin.describeGroups(['g']);
  const ofIt = group!.offsets.filter(({ topic }) => topic === 't');
  return ofIt.map(({ topic, committedOffset, metadata, lag }) => ({ topic, committedOffset, metadata, lag }));
}

const there = [{ topic: 't', committedOffset: 2, metadata: 'm', lag: 1 }];

it('are there with it at once, and again where the import was killed and is made again', async () => {
  const seeded = join(temporaryDirectory(), 'seeded');
  const first = await openAdmin(unsyncedFileSystem, seeded);
  await first.admin.createTopic({ topic: 'other' });
  await first.admin.alterGroupOffsets('g', [{ topic: 'other', partition: 0, offset: 0 }]);
  await first.close();
  const paths: string[] = [];
  let before = 0;
  const whole = await openAdmin(
    interpose(({ path }) => void paths.push(path)),
    copyOf(seeded),
  );
  await importAll(whole.admin, () => {
    before = paths.length;
  });
  expect(await committedIn(whole.admin)).toEqual(there);
  await whole.close();
  const outcomes = new Set<string>();
  for (let n = before + 1; n <= paths.length; n++) {
    // All around the commit point, and some of the others.
    if (n % 25 !== 0 && !paths[n - 1]!.includes('.import-')) continue;
    const path = copyOf(seeded);
    const killed = await openAdmin(killedAt(n).fs, path);
    const isAcknowledged = await importAll(killed.admin).then(
      () => true,
      () => false,
    );
    const { admin, close } = await openAdmin(unsyncedFileSystem, path);
    // What was interrupted is decided by the next change.
    await admin.createTopic({ topic: 'next' });
    const isThere = (await admin.listTopics()).some(({ topic }) => topic === 't');
    const isCommitted = (await committedIn(admin)).length > 0;
    outcomes.add(`${isThere ? '' : 'not '}there, ${isCommitted ? '' : 'not '}committed`);
    if (isAcknowledged) expect(isThere).toBe(true);
    if (!isThere) await importAll(admin);
    expect(await committedIn(admin), `after a kill at call ${n}`).toEqual(there);
    await close();
  }
  expect([...outcomes].toSorted()).toEqual(['not there, committed', 'not there, not committed', 'there, committed']);
});

it('forgets it when another topic of the name is made instead', async () => {
  const path = join(temporaryDirectory(), '.klog');
  const { admin, close } = await openAdmin(unsyncedFileSystem, path);
  const filled = await admin.importTopics([{ topic: 't' }]);
  const offsets = [{ topic: 'other', partition: 0, offset: 1 }];
  await expect(filled.commit([{ groupId: 'g', offsets }])).rejects.toThrow(KlogError);
  await filled.abort();
  await importAll(admin);
  await admin.deleteTopic('t');
  await admin.createTopic({ topic: 't' });
  expect(await committedIn(admin)).toEqual([]);
  await close();
});

function copyOf(from: string): string {
  const path = join(temporaryDirectory(), '.klog');
  cpSync(from, path, { recursive: true });
  return path;
}
