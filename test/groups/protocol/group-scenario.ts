/**
 * What the tests of the group protocol explore: some members that read some partitions, driven through one interleaving
 * after the other. As in the model (groups.pml) the log is taken as given: an append, with the decision in it, is one
 * step, and a look at the log is another. Locks are those of the simulated machine. The invariants are the model's.
 */
import { nextBatch, WalkResult } from '../../../src/format/batch-walk.js';
import { decodeSubscription, type TopicPartitions } from '../../../src/format/coordinator/consumer-protocol.js';
import { decodeGroupRecord } from '../../../src/format/coordinator/group-record.js';
import { RecordBatch } from '../../../src/format/record-batch.js';
import { openCursor, RecordCursor } from '../../../src/format/record-cursor.js';
import type { GroupMember } from '../../../src/groups/group-member.js';
import type { MemberWorker, StartedPartition, StoppedPartition } from '../../../src/groups/member-worker.js';
import type { OffsetsLog, OffsetsReader } from '../../../src/groups/offsets-partition.js';
import type { TopicPartition } from '../../../src/groups/partition-set.js';
import type { FileSystem } from '../../../src/storage/file-system.js';
import type { Scenario } from '../../support/explore.js';
import type { ProcessBody, ProcessContext } from '../../support/scheduler.js';
import type { SimulatedCall } from '../../support/simulated-call.js';
import type { SimulatedDisk } from '../../support/simulated-disk.js';

/** The code that is driven: as it is, or with a flaw in it. */
export interface GroupsModule {
  readonly GroupLog: typeof import('../../../src/groups/group-log.js').GroupLog;
  readonly GroupRuntime: typeof import('../../../src/groups/group-runtime.js').GroupRuntime;
  readonly evictMember: typeof import('../../../src/groups/evict.js').evictMember;
}

export const GROUP_ENTRIES = ['groups/group-log.ts', 'groups/group-runtime.ts', 'groups/evict.ts'];

export const GROUP = 'g';
const TOPIC = 't';
const TOPIC_ID = 'id of the topic';
export const DIRECTORY = '/groups/g';
const BOOT = { bootId: 'b', directory: 'd' };

export interface GroupScenario {
  readonly members: number;
  /** At the end. */
  readonly partitions: number;
  /** At the start; default all. */
  readonly partitionsAtFirst?: number;
  /** In each partition. */
  readonly records: number;
  readonly commit?: 'each' | 'release';
  readonly assignor?: string;
  /** Members that are told to stop gracefully after they have handled a record. */
  readonly leaves?: number;
  /** Evictions of a member that holds something. */
  readonly evicts?: number;
  /** The last member joins only when, after the partitions have become more, somebody is about to append. */
  readonly lastIsLate?: boolean;
  /** A user removes a living member's lock file, or puts another in its place. */
  readonly deletes?: 'file' | 'foreign';
}

export async function prepareGroups(disk: SimulatedDisk): Promise<void> {
  const setup = disk.process('setup');
  for (const path of ['/groups', DIRECTORY]) await setup.makeDirectory(path);
  await setup.syncDirectory('/');
}

export function groupScenario(groups: GroupsModule, options: GroupScenario): Scenario {
  return {
    prepare: prepareGroups,
    build(world) {
      const group = new GroupWorld(groups, options);
      for (let i = 1; i <= options.members; i++) world.spawn(`m${i}`, group.member, 'gone');
      if (group.partitions < options.partitions) world.spawn('admin', group.grow, 'gone');
      for (let i = 0; i < (options.evicts ?? 0); i++) world.spawn(`evictor${i}`, group.evictor, 'gone');
      if (options.deletes !== undefined) world.spawn('user', group.user, 'gone');
      world.atEnd(() => group.judge());
    },
  };
}

/** Appends, looks, and the beginning and end of a record's handling: where one process may stop for another. */
export const isStepOfProtocol = (call: SimulatedCall): boolean => call.name === 'wait';

interface Batch {
  readonly bytes: Buffer;
  readonly baseOffset: number;
}

interface Ghost {
  readonly context: ProcessContext;
  memberId: string | undefined;
  /** Names of partitions whose records are being handled. */
  readonly busy: Set<string>;
  isEvicted: boolean;
  begunSinceEviction: number;
}

/** One group, its log, and what must hold. */
export class GroupWorld {
  readonly #groups: GroupsModule;
  readonly #options: GroupScenario;
  partitions: number;
  readonly #batches: Batch[] = [];
  #end = 0;
  readonly committed = new Map<string, number>();
  #held: ReadonlyMap<string, readonly TopicPartitions[]> = new Map();
  readonly #begun = new Set<string>();
  readonly #done = new Set<string>();
  readonly ghosts = new Map<string, Ghost>();
  #leavesLeft: number;
  #isGrowthNoticed = false;
  readonly #following = new Map<string, Promise<void>[]>();

  constructor(groups: GroupsModule, options: GroupScenario) {
    this.#groups = groups;
    this.#options = options;
    this.partitions = options.partitionsAtFirst ?? options.partitions;
    this.#leavesLeft = options.leaves ?? 0;
  }

  get isDone(): boolean {
    const { partitions, records } = this.#options;
    for (let p = 0; p < partitions; p++) if ((this.committed.get(`${TOPIC}:${p}`) ?? 0) < records) return false;
    return this.partitions === partitions;
  }

  /** Somebody was killed or evicted: then records may be handled twice. */
  get #isRough(): boolean {
    return [...this.ghosts.values()].some(({ context, isEvicted }) => context.fs.dead || isEvicted);
  }

  readonly member: ProcessBody = async (context) => {
    const { name } = context;
    const ghost: Ghost = { context, memberId: undefined, busy: new Set(), isEvicted: false, begunSinceEviction: 0 };
    this.ghosts.set(name, ghost);
    const { records, commit = 'release' } = this.#options;
    const isLate = this.#options.lastIsLate === true && name === `m${this.#options.members}`;
    if (isLate) await context.wait('its time', () => this.#isGrowthNoticed || this.isDone);
    const log = this.#logOf(context);
    const runtime = new this.#groups.GroupRuntime(log, {
      groupId: GROUP,
      directory: DIRECTORY,
      here: { ...BOOT, pid: Number(name.slice(1)) },
      fs: context.fs,
      topics: this.#topicsOf(context),
      elapsed: () => context.clock.now(),
      schedule: (ms, call) => context.clock.schedule(ms, call),
      onEmpty: () => {},
    });
    const worker = new GhostWorker(context);
    const identity = {
      memberId: name,
      instanceId: null,
      clientId: name,
      clientHost: 'h',
      assignor: this.#options.assignor,
    };
    const member = await runtime.join({ ...identity, topics: [TOPIC], wants: undefined, worker });
    ghost.memberId = name;
    try {
      for (;;) {
        const work = await this.#nextWork(context, member, worker, records);
        if (work === undefined) break;
        await this.#handle(ghost, member, worker, work);
        if (commit === 'each') await this.#commit(member, worker, work);
        if (this.#leavesLeft > 0) {
          this.#leavesLeft--;
          break;
        }
      }
      worker.isClosing = true;
      await runtime.leave(member);
      if (member.error !== undefined) throw member.error;
    } catch (error) {
      // Exit 8.
      const { code } = error as { code?: string };
      const isRefused = code === 'UNKNOWN_MEMBER_ID' || code === 'ILLEGAL_GENERATION';
      if (!isRefused || !ghost.isEvicted) throw error;
      await runtime.leave(member).catch(() => {});
    }
    ghost.busy.clear();
    await Promise.all(this.#following.get(name) ?? []);
  };

  readonly evictor: ProcessBody = async (context) => {
    const log = this.#logOf(context);
    const victim = () =>
      [...log.state(GROUP).members.values()].find(
        ({ memberId, held }) => held.size > 0 && !this.ghosts.get(memberId)?.isEvicted,
      );
    await context.wait('somebody to evict', () => this.isDone || this.ghosts.get('m1')?.memberId !== undefined);
    await log.refresh();
    const found = victim();
    if (this.isDone || found === undefined) return;
    try {
      await this.#groups.evictMember(log, this.#topicsOf(context), GROUP, found.memberId);
    } catch (error) {
      if ((error as { code: string }).code !== 'KLOG_NOT_FOUND') throw error;
    }
  };

  /** A user removes, or exchanges, the lock file of a member. */
  readonly user: ProcessBody = async (context) => {
    await context.wait('a lock file', () => this.ghosts.get('m1')?.memberId !== undefined);
    const path = `${DIRECTORY}/m1.lock`;
    if (this.isDone) return;
    await context.fs.unlink(path);
    if (this.#options.deletes === 'foreign') await (await context.fs.open(path, 'create')).close();
  };

  readonly grow: ProcessBody = async (context) => {
    await context.wait('more partitions', () => true);
    this.partitions = this.#options.partitions;
  };

  judge(): void {
    const alive = [...this.ghosts.values()].some(({ context, isEvicted }) => !context.fs.dead && !isEvicted);
    if (alive && !this.isDone && this.#leavesLeft === 0 && (this.#options.leaves ?? 0) === 0) {
      fail(`not everything was committed: ${[...this.committed].join(' ')}`);
    }
  }

  /** The next record of a partition that is read; `undefined`: everything is committed, by whomever. */
  async #nextWork(context: ProcessContext, member: GroupMember, worker: GhostWorker, records: number) {
    for (;;) {
      if (member.error !== undefined) throw member.error;
      const { changes } = worker;
      const next = [...worker.working].find(([place, { position }]) => position < records && worker.mayBegin(place));
      if (next !== undefined) {
        const [place, { topic, partition, position }] = next;
        const end = this.#end;
        if (
          (await member.look({ topic, partition })) &&
          worker.mayBegin(place) &&
          worker.working.get(place) === next[1]
        ) {
          return { place, topic, partition, offset: position };
        }
        await context.wait('work', () => this.isDone || this.#end > end || worker.changes !== changes);
        continue;
      }
      if (this.isDone) return undefined;
      // What it has read to the end it commits, so that the group comes to an end.
      const dirty = [...worker.working].find(
        ([place, one]) => one.position !== one.committed && !worker.stopping.has(place),
      );
      if (dirty !== undefined) {
        await this.#commit(member, worker, { ...dirty[1], place: dirty[0] });
        continue;
      }
      await context.wait('work', () => this.isDone || worker.changes !== changes || member.error !== undefined);
    }
  }

  async #handle(
    ghost: Ghost,
    member: GroupMember,
    worker: GhostWorker,
    work: TopicPartition & { place: string; offset: number },
  ) {
    const { place, offset } = work;
    const { context } = ghost;
    worker.inHand = place;
    const others = [...this.ghosts.values()].filter(
      (other) => other !== ghost && !other.context.fs.dead && !other.isEvicted,
    );
    if (!ghost.isEvicted) {
      const other = others.find(({ busy }) => busy.has(place));
      if (other !== undefined) fail(`${context.name} and ${other.context.name} both handle a record of ${place}`);
      if (offset < (this.committed.get(place) ?? 0))
        fail(`${context.name} handles ${place}@${offset}, which is committed`);
    } else if (++ghost.begunSinceEviction > 1) fail(`${context.name} was evicted and begins another record`);
    if (!this.#isRough && this.#begun.has(`${place}@${offset}`)) fail(`${place}@${offset} is handled twice`);
    ghost.busy.add(place);
    this.#begun.add(`${place}@${offset}`);
    await context.wait(`handling ${place}@${offset}`, () => true);
    ghost.busy.delete(place);
    this.#done.add(`${place}@${offset}`);
    worker.handled(place);
    if (member.error !== undefined) throw member.error;
  }

  async #commit(
    member: GroupMember,
    worker: GhostWorker,
    { place, topic, partition }: TopicPartition & { place: string },
  ) {
    const one = worker.working.get(place);
    if (one === undefined || worker.stopping.has(place)) return;
    const { position } = one;
    await member.commit([{ topic, partition, topicId: TOPIC_ID, commit: commitOf(position) }]);
    const still = worker.working.get(place);
    if (still !== undefined) still.committed = position;
  }

  #topicsOf({ fs }: ProcessContext) {
    // The lock is for a flaw that has one.
    return { ...this.#topics, coordinatorLock: () => lockCoordinator(fs) };
  }

  readonly #topics = {
    partitionCounts: async (topics: Iterable<string>) => new Map([...topics].map((topic) => [topic, this.partitions])),
    names: async () => [TOPIC],
    ids: async () => new Map([[TOPIC, TOPIC_ID]]),
  };

  #logOf(context: ProcessContext) {
    return new this.#groups.GroupLog(this.#appender(context), this.#reader(context), {
      now: () => context.clock.now(),
    });
  }

  /** The log as the model has it: what is appended is safe. */
  #appender({ name, wait }: ProcessContext): OffsetsLog {
    return {
      appendDecided: async (decide) => {
        this.#isGrowthNoticed ||= this.partitions > (this.#options.partitionsAtFirst ?? this.partitions);
        await wait('append', () => true);
        const fetch = async (from: number) => this.#fetch(from);
        const batches = await decide({ offset: this.#end, logStartOffset: 0, cutCount: 0, fetch });
        return batches.length === 0 ? undefined : this.#append(name, Buffer.from(batches[0]!));
      },
      durable: async () => {},
    };
  }

  #reader({ name, wait }: ProcessContext): OffsetsReader {
    return {
      marks: async () => {
        await wait('look', () => true);
        return { logStartOffset: 0, highWatermark: this.#end, logEndOffset: this.#end, cutCount: 0 };
      },
      fetch: async (from) => this.#fetch(from),
      waitForMore: async (beyond, { signal }) => {
        if (this.#end > beyond) return true;
        const more = wait('records', () => this.#end > beyond || signal?.aborted === true);
        // Who is done has nothing parked any more.
        this.#following.set(name, [more]);
        await more;
        return this.#end > beyond;
      },
      close: async () => {},
    };
  }

  #fetch(from: number) {
    const batch = this.#batches.find(({ bytes }) => new RecordBatch().reset(bytes, 0).nextOffset > from);
    if (batch === undefined) return { buffer: Buffer.alloc(0), start: 0, end: 0, nextOffset: from };
    const { nextOffset } = new RecordBatch().reset(batch.bytes, 0);
    return { buffer: batch.bytes, start: 0, end: batch.bytes.length, nextOffset };
  }

  #append(name: string, bytes: Buffer) {
    const baseOffset = this.#end;
    const batch = new RecordBatch().reset(bytes, 0);
    batch.setBaseOffset(baseOffset);
    this.#judgeRecords(name, bytes);
    this.#batches.push({ bytes, baseOffset });
    this.#end = batch.nextOffset;
    return { baseOffset, lastOffset: this.#end - 1 };
  }

  #judgeRecords(name: string, bytes: Buffer): void {
    if (nextBatch(bytes, 0, bytes.length, new WalkResult()).status !== 'batch') fail('not a batch');
    const cursor = openCursor(new RecordCursor(), bytes, 0);
    while (cursor.next()) {
      const { keyStart, keyEnd, valueStart, valueEnd } = cursor;
      const value = valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd);
      const record = decodeGroupRecord(bytes.subarray(keyStart, keyEnd), value);
      if (record?.kind === 'group-metadata') {
        const members = record.group?.members ?? [];
        this.#held = new Map(
          members.map((one) => [one.memberId, decodeSubscription(one.subscription).ownedPartitions]),
        );
        const memberIds = new Set(record.group?.members.map(({ memberId }) => memberId));
        if (name.startsWith('evictor')) {
          for (const ghost of this.ghosts.values()) {
            if (ghost.memberId !== undefined && !ghost.isEvicted && !memberIds.has(ghost.memberId)) this.#evict(ghost);
          }
        }
      } else if (record?.kind === 'offset-commit' && record.commit !== null) {
        this.#judgeCommit(name, `${record.topic}:${record.partition}`, record.commit.offset);
      }
    }
  }

  /** How many partitions the last record says a member holds. */
  heldBy(memberId: string): number {
    return (this.#held.get(memberId) ?? []).reduce((sum, { partitions }) => sum + partitions.length, 0);
  }

  #evict(ghost: Ghost): void {
    // One that has left by itself was not evicted.
    if (!ghost.context.fs.dead) ghost.isEvicted = true;
  }

  #judgeCommit(name: string, place: string, offset: number): void {
    if (this.ghosts.get(name)?.isEvicted) fail(`${name} was evicted and commits ${place}@${offset}`);
    const before = this.committed.get(place) ?? 0;
    if (offset < before) fail(`${name} takes the commit of ${place} back from ${before} to ${offset}`);
    for (let at = 0; at < offset; at++)
      if (!this.#done.has(`${place}@${at}`)) fail(`${place}@${at} is committed, not handled`);
    this.committed.set(place, offset);
  }
}

interface Reading extends TopicPartition {
  position: number;
  committed: number;
}

/** Reads records one by one, as an application does. */
class GhostWorker implements MemberWorker {
  readonly working = new Map<string, Reading>();
  readonly stopping = new Set<string>();
  readonly #context: ProcessContext;
  inHand: string | undefined;
  isClosing = false;
  changes = 0;

  constructor(context: ProcessContext) {
    this.#context = context;
  }

  mayBegin(place: string): boolean {
    return this.working.has(place) && !this.stopping.has(place);
  }

  handled(place: string): void {
    this.inHand = undefined;
    this.changes++;
    const one = this.working.get(place);
    if (one !== undefined) one.position++;
  }

  async start(partitions: readonly StartedPartition[]): Promise<readonly []> {
    for (const { topic, partition, offset = 0 } of partitions) {
      this.working.set(`${topic}:${partition}`, { topic, partition, position: offset, committed: offset });
    }
    this.changes++;
    return [];
  }

  async stop(partitions: readonly TopicPartition[]): Promise<readonly StoppedPartition[]> {
    const places = partitions.map(({ topic, partition }) => `${topic}:${partition}`);
    for (const place of places) this.stopping.add(place);
    if (this.inHand !== undefined && places.includes(this.inHand)) {
      await this.#context.wait('what is in hand', () => this.inHand === undefined);
    }
    this.changes++;
    return places.flatMap((place) => {
      const one = this.working.get(place);
      this.working.delete(place);
      this.stopping.delete(place);
      if (one === undefined) return [];
      const { topic, partition, position, committed } = one;
      const commit = { topic, partition, topicId: TOPIC_ID, commit: commitOf(position) };
      return [{ topic, partition, position, commit: position === committed ? undefined : commit }];
    });
  }

  lost(): void {
    this.working.clear();
    this.stopping.clear();
    this.changes++;
  }
}

async function lockCoordinator(fs: FileSystem) {
  const file = await fs.open(`${DIRECTORY}/coordinator`, 'create');
  await file.waitLock({ start: 0, length: 0 });
  return file;
}

function commitOf(offset: number) {
  return { offset, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1 };
}

function fail(message: string): never {
  throw new Error(message);
}
