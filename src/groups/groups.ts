/** The consumer groups of a data directory, as one process takes part in them. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { KlogError } from '../errors.js';
import { groupPartition } from '../format/coordinator/group-partition.js';
import { identityOf } from '../storage/control-file.js';
import type { FileSystem } from '../storage/file-system.js';
import type { Store } from '../store/store.js';
import type { Here } from './decisions/rebalance.js';
import { GroupLog } from './group-log.js';
import type { GroupMember } from './group-member.js';
import { GroupRuntime } from './group-runtime.js';
import type { HoldUp } from './hold-ups.js';
import { groupDirectory } from './lock-files.js';
import type { MemberWorker } from './member-worker.js';
import { ensureOffsetsTopic, OFFSETS_TOPIC, type OffsetsLog, offsetsPartitions } from './offsets-partition.js';
import type { TopicsView } from './partition-counts.js';

const LONGEST_ID_BYTES = 32_767;

export interface JoinGroup {
  readonly groupId: string;
  readonly instanceId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly assignor?: string | undefined;
  /** By name. */
  readonly topics: readonly string[];
  /** Which other topics it wants. */
  readonly wants?: ((topic: string) => boolean) | undefined;
  readonly worker: MemberWorker;
  /** The group has changed, or what this member does by it. */
  readonly onChange?: (() => void) | undefined;
  /** Another does not let go of what is this member's to read. */
  readonly onHeldUp?: ((holdUp: HoldUp) => void) | undefined;
}

export interface Joined {
  readonly member: GroupMember;
  readonly runtime: GroupRuntime;
}

export interface GroupsSeams {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds that never go back. */
  readonly elapsed: () => number;
}

export class Groups {
  readonly #store: Store;
  readonly #seams: GroupsSeams;
  readonly #logs = new Map<number, Promise<GroupLog>>();
  readonly #runtimes = new Map<string, GroupRuntime>();
  #here: Promise<Here> | undefined;

  constructor(store: Store, seams: GroupsSeams) {
    this.#store = store;
    this.#seams = seams;
  }

  /** Joins as a new member. @throws KlogError INVALID_GROUP_ID, UNRELEASED_INSTANCE_ID, INCONSISTENT_GROUP_PROTOCOL */
  async join(options: JoinGroup): Promise<Joined> {
    const { groupId, clientId = 'klog', instanceId = null, assignor, topics, wants, worker } = options;
    checkGroupId(groupId);
    const runtime = await this.#runtimeOf(groupId);
    const memberId = `${instanceId ?? clientId}-${randomUUID()}`;
    const clientHost = hostname();
    const names = [...new Set(topics)].sort();
    const identity = { memberId, instanceId, clientId, clientHost };
    const { onChange, onHeldUp } = options;
    const member = await runtime.join({ ...identity, assignor, topics: names, wants, worker, onChange, onHeldUp });
    return { member, runtime };
  }

  /**
   * The records of the group, and of others in the same partition. Made at its first use. @throws KlogError
   * INVALID_GROUP_ID
   */
  async logOf(groupId: string): Promise<GroupLog> {
    checkGroupId(groupId);
    return await this.#log(groupPartition(groupId, await ensureOffsetsTopic(this.#store)));
  }

  /** The same, but `undefined` where nothing was ever written. */
  async existingLogOf(groupId: string): Promise<GroupLog | undefined> {
    checkGroupId(groupId);
    const partitions = await offsetsPartitions(this.#store);
    if (partitions === undefined) return undefined;
    const partition = groupPartition(groupId, partitions);
    return (await this.#isUsed(partition)) ? await this.#log(partition) : undefined;
  }

  /** All that anything was ever written to. */
  async existingLogs(): Promise<GroupLog[]> {
    const logs: GroupLog[] = [];
    const partitions = (await offsetsPartitions(this.#store)) ?? 0;
    for (let partition = 0; partition < partitions; partition++) {
      if (await this.#isUsed(partition)) logs.push(await this.#log(partition));
    }
    return logs;
  }

  /** Topics are being deleted, or made: who reads one of the name begins anew. */
  async forgetTopics(topics: ReadonlySet<string>): Promise<void> {
    const partitions = (await offsetsPartitions(this.#store)) ?? 0;
    for (let partition = 0; partition < partitions; partition++) {
      if (!(await this.#isUsed(partition))) continue;
      try {
        await this.#forgetIn(await this.#log(partition), topics);
      } catch (error) {
        // Nobody goes on by what cannot be read, and topics are not held up by it.
        if (!(error instanceof KlogError && error.code === 'CORRUPT_MESSAGE')) throw error;
      }
    }
  }

  get fileSystem(): FileSystem {
    return this.#store.fileSystem;
  }

  /** Where members live who can be proved to be dead. */
  async here(): Promise<Here> {
    this.#here ??= this.#whereWeAre();
    return await this.#here;
  }

  /** Of a group's lock files. */
  directoryOf(groupId: string): string {
    return groupDirectory(this.#store.directory.path, groupId);
  }

  get topics(): TopicsView {
    const { topics } = this.#store;
    return {
      async partitionCounts(names) {
        const counts = new Map<string, number>();
        for (const name of names) counts.set(name, (await topics.find(name))?.partitions ?? 0);
        return counts;
      },
      names: async () => (await topics.list()).map(({ topic }) => topic),
      async ids(names) {
        const ids = new Map<string, string>();
        for (const name of names) {
          const id = await topics.idOf(name);
          if (id !== undefined) ids.set(name, id);
        }
        return ids;
      },
    };
  }

  async close(): Promise<void> {
    const logs = [...this.#logs.values()];
    this.#logs.clear();
    for (const log of await Promise.allSettled(logs)) if (log.status === 'fulfilled') await log.value.close();
  }

  async #runtimeOf(groupId: string): Promise<GroupRuntime> {
    const log = await this.logOf(groupId);
    const here = await this.here();
    let runtime = this.#runtimes.get(groupId);
    if (runtime === undefined) {
      runtime = new GroupRuntime(log, {
        groupId,
        directory: this.directoryOf(groupId),
        here,
        fs: this.#store.fileSystem,
        topics: this.topics,
        elapsed: this.#seams.elapsed,
        schedule,
        onEmpty: () => this.#runtimes.delete(groupId),
      });
      this.#runtimes.set(groupId, runtime);
    }
    return runtime;
  }

  async #log(partition: number): Promise<GroupLog> {
    let log = this.#logs.get(partition);
    if (log === undefined) {
      log = this.#open(partition);
      this.#logs.set(partition, log);
      log.catch(() => this.#logs.delete(partition));
    }
    return await log;
  }

  async #forgetIn(log: GroupLog, topics: ReadonlySet<string>): Promise<void> {
    await log.refreshAppended();
    for (const groupId of log.table.groupIds()) {
      if (!log.table.commitsOf(groupId).some(({ topic }) => topics.has(topic))) continue;
      await log.decide(groupId, (group) => {
        const commits = group.allCommitted().filter(({ topic }) => topics.has(topic));
        return { commits: commits.map(({ topic, partition }) => ({ topic, partition, commit: null })) };
      });
    }
  }

  /** A partition is made when it is first used. */
  async #isUsed(partition: number): Promise<boolean> {
    return (await this.#store.partitionSize(OFFSETS_TOPIC, partition)).segments > 0;
  }

  async #open(partition: number): Promise<GroupLog> {
    const reader = await this.#store.partitionReader(OFFSETS_TOPIC, partition);
    const log = new GroupLog(this.#appender(partition), reader, this.#seams);
    await log.refresh();
    return log;
  }

  /** Opened when something is to be appended: who only looks needs no right to write. */
  #appender(partition: number): OffsetsLog {
    let opened: Promise<OffsetsLog> | undefined;
    const open = (): Promise<OffsetsLog> => {
      opened ??= this.#store.partitionLog(OFFSETS_TOPIC, partition);
      opened.catch(() => {
        opened = undefined;
      });
      return opened;
    };
    return {
      appendDecided: async (decide) => (await open()).appendDecided(decide),
      durable: async (appended) => (await open()).durable(appended),
    };
  }

  async #whereWeAre(): Promise<Here> {
    const { fileSystem, directory } = this.#store;
    const stat = await fileSystem.stat(directory.logDirectory);
    const bootId = Buffer.from(fileSystem.bootId()).toString('hex');
    const identity = stat === undefined ? 0 : identityOf(stat);
    return { pid: process.pid, bootId, directory: `${stat?.device ?? 0}:${identity}` };
  }
}

function checkGroupId(groupId: string): void {
  const problem =
    groupId === ''
      ? 'must not be empty'
      : /\p{Surrogate}/u.test(groupId)
        ? 'is not whole Unicode text'
        : Buffer.byteLength(groupId) > LONGEST_ID_BYTES
          ? 'is too long'
          : undefined;
  if (problem !== undefined) throw new KlogError('INVALID_GROUP_ID', `a group's id ${problem}`);
}

function schedule(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}
