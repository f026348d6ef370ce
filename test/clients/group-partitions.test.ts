/** What a member remembers of its partitions while they come and go. */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { GroupOptions } from '../../src/clients/group-consumer.js';
import { GroupCommits } from '../../src/clients/local/group-commits.js';
import { GroupPartitions } from '../../src/clients/local/group-partitions.js';
import { openClient } from '../../src/clients/local/open-client.js';
import type { GroupMember } from '../../src/groups/group-member.js';
import type { StartedPartition } from '../../src/groups/member-worker.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import { openStore } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const P = { topic: 't', partition: 0 };
const seams = { now: Date.now, elapsed: () => performance.now(), random: () => 0.5 };

/** The partitions of a member of topic `t`, which has one partition of five records. */
async function partitionsOf(group: Partial<GroupOptions> = {}, isFollowing = true) {
  const directory = join(temporaryDirectory(), '.klog');
  const client = await openClient({ directory, create: true });
  onTestFinished(() => client.close());
  const make = async (records: number) => {
    await client.admin().createTopic({ topic: 't' });
    await using producer = client.producer();
    const record = { ...P, key: null, value: Buffer.from('x') };
    await producer.sendAll(Array.from({ length: records }, () => record));
  };
  await make(5);
  const store = await openStore(nodeFileSystem, directory);
  onTestFinished(() => store.close());
  const partitions = new GroupPartitions(store, seams, {
    consumer: { topics: ['t'], group: { id: 'g', ...group } },
    isFollowing,
    maxFetchBytes: 1024,
    onChange: () => {},
    onForget: () => {},
  });
  onTestFinished(() => partitions.assignment.close());
  const remake = async (records: number) => {
    await client.admin().deleteTopic('t');
    await make(records);
  };
  const start = async (place: Partial<StartedPartition> = {}) => {
    const { topicId } = await store.topics.get('t');
    return await partitions.start([{ ...P, topicId, offset: undefined, isNew: false, ...place }]);
  };
  return { partitions, remake, start };
}

it('what is being let go of is not read on because it is resumed', async () => {
  let letGo = () => {};
  const { partitions, start } = await partitionsOf({
    onRevoked: () => new Promise<void>((resolve) => (letGo = resolve)),
  });
  await start();
  const fetcher = partitions.assignment.get(P);
  partitions.pause(P);
  const stopped = partitions.stop([P]);
  await Promise.resolve();
  partitions.resume(P);
  expect(fetcher.isPaused).toBe(true);
  letGo();
  await stopped;
  await start();
  expect(partitions.assignment.get(P).isPaused).toBe(false);
});

it('what is only coming is not read before the application has heard of it, though it is resumed', async () => {
  const seen: boolean[] = [];
  const onAssigned = () => {
    partitions.resume(P);
    seen.push(partitions.assignment.get(P).isPaused);
  };
  const { partitions, start } = await partitionsOf({ onAssigned });
  await start();
  expect([...seen, partitions.assignment.get(P).isPaused]).toEqual([true, false]);
});

it('what was lost while it was in hand is not told to be revoked as well', async () => {
  const told: string[] = [];
  const { partitions, start } = await partitionsOf({
    onRevoked: () => void told.push('revoked'),
    onLost: () => void told.push('lost'),
  });
  await start();
  partitions.handOut(partitions.assignment.get(P), true);
  const stopped = partitions.stop([P]);
  partitions.lost([P]);
  expect(await stopped).toEqual([]);
  expect(told).toEqual(['lost']);
});

it('the end of a bounded read is not beyond that of a topic that was made anew', async () => {
  const { partitions, remake, start } = await partitionsOf({}, false);
  await start();
  expect(partitions.assignment.get(P).end).toBe(5);
  await partitions.stop([P]);
  await remake(2);
  await start();
  expect(partitions.assignment.get(P).end).toBe(2);
});

it('what is committed of a topic is not where another of its name begins', async () => {
  const assigned: number[] = [];
  const { partitions, remake, start } = await partitionsOf({
    onAssigned: (places) => void assigned.push(...places.map(({ offset }) => offset)),
  });
  await start({ offset: 3 });
  const former = partitions.commitOf(P, 4).topicId;
  await partitions.stop([P]);
  await remake(5);
  // Looked up before the topic was deleted, and another is there now.
  await start({ topicId: former, offset: 4 });
  await start({ topicId: undefined });
  expect(partitions.assignment.fetchers).toEqual([]);
  expect(assigned).toEqual([3]);
  // Nor is what an application commits of it late.
  expect(partitions.commitOf(P, 4).topicId).toBe(former);
});

it('a member that follows does not fail because a topic is deleted; one that reads to the end does', async () => {
  for (const isFollowing of [true, false]) {
    const { partitions, remake, start } = await partitionsOf({}, isFollowing);
    await start();
    await remake(5);
    const fetcher = partitions.assignment.get(P);
    const read = Promise.all([fetcher.fill(), fetcher.beyond(), fetcher.waitForMore(new AbortController().signal, 1)]);
    if (isFollowing) expect(await read.then(() => fetcher.isDeleted)).toBe(true);
    else await expect(read).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  }
});

/** Commits everything that was handed out; it is done when the answer is called. */
async function committing(partitions: GroupPartitions): Promise<() => Promise<void>> {
  let done = () => {};
  const commit = () => new Promise<void>((resolve) => (done = resolve));
  const commits = new GroupCommits(partitions, { id: 'g', commit: 'none' }, () => {});
  commits.begin({ commit } as Partial<GroupMember> as GroupMember);
  const committed = commits.commitAll();
  return async () => {
    done();
    await committed;
  };
}

it('a commit that ends when its partition has gone and come back says nothing of what is read now', async () => {
  const { partitions, start } = await partitionsOf();
  await start();
  partitions.assignment.get(P).position = 3;
  const done = await committing(partitions);
  await partitions.stop([P]);
  await start({ offset: 0 });
  partitions.assignment.get(P).position = 3;
  await done();
  expect(partitions.dirty).toEqual([{ ...P, offset: 3 }]);
});

it('a commit that ends when the application has gone back counts nothing in hand as handled', async () => {
  const { partitions, start } = await partitionsOf();
  await start();
  const fetcher = partitions.assignment.get(P);
  fetcher.position = 3;
  const done = await committing(partitions);
  partitions.seek(fetcher, 0);
  partitions.handOut(fetcher, true);
  fetcher.position = 1;
  await done();
  expect(partitions.handledOf(fetcher)).toBe(0);
  expect(partitions.dirty).toEqual([{ ...P, offset: 0 }]);
});
