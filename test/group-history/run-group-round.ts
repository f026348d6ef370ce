/**
 * One round: members come and go, are killed, stopped, evicted, lose their lock files; then all that was produced is
 * accounted for.
 */
import { mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClient } from '../../src/clients/local/open-client.js';
import { evictMember } from '../../src/groups/evict.js';
import { Groups } from '../../src/groups/groups.js';
import { nodeFileSystem } from '../../src/store/node-file-system.js';
import { openStore } from '../../src/store/store.js';
import { seededRandom } from '../support/chooser.js';
import { checkGroupHistory } from './check-group-history.js';
import { type MemberEvent, MemberProcess, monotonicUs } from './member-process.js';

export interface GroupRound {
  readonly library: string;
  readonly seed: number;
  readonly durationMs: number;
}

export interface GroupRoundResult {
  readonly anomalies: readonly string[];
  readonly counts: Readonly<ReturnType<typeof noCounts>>;
  /** Kept if there are anomalies. */
  readonly directory: string;
  readonly events: readonly MemberEvent[];
}

const TOPIC = 'orders';
/** Comes later: only who wants all topics of such names reads it. */
const LATE_TOPIC = 'orders-late';
const PATTERN = 'orders.*';
const GROUP = 'billing';
const ASSIGNORS = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'];
const MOST_PROCESSES = 5;
const INSTANCES = 3;
/**
 * Once nothing befalls the living any more they handle something in so long, as long as there is anything, and all in
 * so long.
 */
const PATIENCE_MS = 15_000;
const MOST_PATIENCE_MS = 120_000;

/** What came to pass, and how often. */
function noCounts() {
  return { started: 0, killed: 0, stopped: 0, evicted: 0, deleted: 0, left: 0, grown: 0, static: 0, handled: 0 };
}

export async function runGroupRound({ library, seed, durationMs }: GroupRound): Promise<GroupRoundResult> {
  const random = seededRandom(seed);
  const below = (count: number) => Math.floor(random() * count);
  const root = mkdtempSync(join(tmpdir(), 'klog-group-round-'));
  const directory = join(root, '.klog');
  const client = await openClient({ directory, create: true });
  const store = await openStore(nodeFileSystem, directory);
  const groups = new Groups(store, { now: Date.now, elapsed: () => performance.now() });
  const partitions = new Map([[TOPIC, 1 + below(5)]]);
  await client.admin().createTopic({ topic: TOPIC, partitions: partitions.get(TOPIC)! });
  const produced = new Map<string, number>();
  const produce = async (records: number) => {
    // A producer of its own each time: it knows the partitions there are now.
    await using producer = client.producer();
    await Promise.all(
      Array.from({ length: records }, async () => {
        const topic = [...partitions.keys()][below(partitions.size)]!;
        const partition = below(partitions.get(topic)!);
        const place = `${topic}:${partition}`;
        produced.set(place, (produced.get(place) ?? 0) + 1);
        await producer.send({ topic, partition, key: null, value: Buffer.from('x') });
      }),
    );
  };
  const events: MemberEvent[] = [];
  const counts = noCounts();
  const killedAt = new Map<string, number>();
  const evictedAt = new Map<string, number>();
  const mayBeRefused = new Set<string>();
  const processes: MemberProcess[] = [];
  const stopped = new Set<MemberProcess>();
  const assignor = ASSIGNORS[below(ASSIGNORS.length)]!;
  const running = () => processes.filter((one) => !one.hasExited && !leaving.has(one));
  const leaving = new Set<MemberProcess>();
  /** By instance id: the process that has it, or had it last. */
  const instances = new Map<string, MemberProcess>();
  const start = (more: { readonly wantsAll?: boolean } = {}) => {
    const name = `p${processes.length}`;
    const instanceId = `s${below(INSTANCES)}`;
    const former = instances.get(instanceId);
    const isStatic = below(4) === 0 && former?.hasExited !== false;
    const wantsAll = below(2) === 0 || more.wantsAll === true;
    const plan = {
      ...{ library, directory, group: GROUP, topics: [TOPIC], name, assignor },
      ...(wantsAll ? { patterns: [PATTERN] } : {}),
      ...(isStatic ? { instanceId } : {}),
      members: isStatic ? 1 : 1 + below(2),
      handlerMs: below(3),
      autoCommitIntervalMs: 20 + below(200),
      commit: below(3) === 0 ? ('none' as const) : ('auto' as const),
      pauses: below(3) === 0,
      batches: below(4) === 0,
    };
    const process = new MemberProcess(plan, (event) => events.push(event));
    processes.push(process);
    if (isStatic) {
      instances.set(instanceId, process);
      if (counts.deleted > 0) mayBeRefused.add(`${name}.0`);
      counts.static++;
    }
    if (wantsAll) wantAll.add(process);
    counts.started++;
  };
  const wantAll = new Set<MemberProcess>();
  const membersOf = (one: MemberProcess) => [0, 1].map((i) => `${one.name}.${i}`);
  /** As it calls itself. A static member's id does not begin with that: it says so when it has joined. */
  const nameOf = (memberId: string) =>
    events.find(({ what, words }) => what === 'joined' && words[0] === memberId)?.member ??
    (memberId.startsWith('p') ? memberId.split('-')[0] : undefined);
  const evict = async (memberId: string) => {
    const log = await groups.logOf(GROUP);
    const name = nameOf(memberId);
    if (name === undefined) return;
    evictedAt.set(name, monotonicUs());
    counts.evicted++;
    await evictMember(log, groups.topics, GROUP, memberId).catch((error: { code: string }) => {
      if (error.code !== 'KLOG_NOT_FOUND') throw error;
    });
  };
  const memberIds = async () => {
    const log = await groups.logOf(GROUP);
    await log.refresh();
    return [...log.state(GROUP).members.keys()];
  };
  const someMember = async (of?: MemberProcess) => {
    const ids = (await memberIds()).filter((id) => of === undefined || nameOf(id)?.startsWith(`${of.name}.`) === true);
    return ids[below(Math.max(1, ids.length))];
  };
  /** Of which something was not handled yet. */
  const missing = () => {
    const handled = new Map<string, Set<string>>();
    for (const { what, words } of events) {
      if (what !== 'end') continue;
      const [place, offset] = words as [string, string];
      handled.set(place, (handled.get(place) ?? new Set()).add(offset));
    }
    return [...produced].filter(([place, count]) => (handled.get(place)?.size ?? 0) < count).map(([place]) => place);
  };
  const committedOffsets = async () => {
    const log = await groups.logOf(GROUP);
    await log.refresh();
    return new Map(
      log
        .group(GROUP)
        .allCommitted()
        .map(({ topic, partition, commit }) => [`${topic}:${partition}`, commit.offset]),
    );
  };
  /** Whoever lives comes to an end with everything, in time. */
  const settle = async (): Promise<string[]> => {
    // The dead are found by themselves, but for those whose lock files a user has removed: these stay until they are
    // evicted.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const mostDeadline = performance.now() + MOST_PATIENCE_MS;
    let deadline = 0;
    for (let handled = -1; ; ) {
      const living = running().filter((one) => membersOf(one).some((name) => !evictedAt.has(name)));
      for (const id of await memberIds()) {
        const name = nameOf(id);
        const of = processes.find((one) => name !== undefined && membersOf(one).includes(name));
        // A static one that was killed before it could say who it is.
        if (of?.hasExited === true || (name === undefined && instances.get(id.split('-')[0]!)?.hasExited === true)) {
          if (name !== undefined) evictedAt.set(name, evictedAt.get(name) ?? monotonicUs());
          await evictMember(await groups.logOf(GROUP), groups.topics, GROUP, id).catch(() => {});
        }
      }
      if (!living.some((one) => wantAll.has(one))) start({ wantsAll: true });
      const left = missing();
      if (left.length === 0) return [];
      const now = performance.now();
      const handledNow = events.filter(({ what }) => what === 'end').length;
      if (handledNow > handled) {
        handled = handledNow;
        deadline = now + PATIENCE_MS;
      }
      if (now > Math.min(deadline, mostDeadline)) {
        const who = living.map(({ name }) => name).join(' ');
        return [`${left.join(' ')}: nobody reads on, though these live: ${who}`];
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const act = async (): Promise<void> => {
    const alive = running();
    const one = alive[below(Math.max(1, alive.length))];
    const dice = below(12);
    if (dice < 3 || one === undefined) {
      if (alive.length < MOST_PROCESSES) start();
    } else if (dice < 5) {
      for (const member of membersOf(one)) killedAt.set(member, monotonicUs());
      leaving.add(one);
      stopped.delete(one);
      one.signal('SIGKILL');
      counts.killed++;
    } else if (dice < 7) {
      if (!stopped.has(one)) {
        one.signal('SIGSTOP');
        stopped.add(one);
        counts.stopped++;
        // It may stand in the middle of an append, for which all others wait: no longer than they are patient.
        setTimeout(() => {
          if (stopped.delete(one)) one.signal('SIGCONT');
        }, 200 + below(1500));
      }
    } else if (dice < 8) {
      const victim = await someMember(stopped.size > 0 ? [...stopped][0] : undefined);
      if (victim !== undefined) await evict(victim);
    } else if (dice < 9) {
      const files = lockFiles(directory);
      const file = files[below(Math.max(1, files.length))];
      if (file !== undefined) {
        unlinkSync(file);
        if (random() < 0.5) writeFileSync(file, '');
        counts.deleted++;
      }
    } else if (dice < 10) {
      leaving.add(one);
      if (stopped.delete(one)) one.signal('SIGCONT');
      one.signal('SIGTERM');
      counts.left++;
    } else if (dice < 11) {
      const [topic, count] = [...partitions][below(partitions.size)]!;
      if (partitions.size === 1 && below(3) === 0) {
        await client.admin().createTopic({ topic: LATE_TOPIC, partitions: 2 });
        partitions.set(LATE_TOPIC, 2);
      } else if (count < 8) {
        await client.admin().createPartitions(topic, count + 1);
        partitions.set(topic, count + 1);
      }
      counts.grown++;
    }
    await produce(below(30));
  };
  await produce(40);
  start();
  const until = performance.now() + durationMs;
  // On a busy machine all of that time may pass before anything befalls anybody.
  while (performance.now() < until || counts.killed + counts.stopped + counts.evicted === 0) {
    await act();
    await new Promise((resolve) => setTimeout(resolve, 5 + below(120)));
  }
  for (const one of stopped) one.signal('SIGCONT');
  stopped.clear();
  const anomalies = await settle();
  for (const one of running()) one.signal('SIGTERM');
  await Promise.race([
    Promise.all(processes.map((one) => one.exited)),
    new Promise((resolve) => setTimeout(resolve, 20_000)),
  ]);
  for (const one of processes.filter((it) => !it.hasExited)) {
    anomalies.push(`${one.name} does not end`);
    one.signal('SIGKILL');
    await one.exited;
  }
  for (const id of await memberIds()) await evictMember(await groups.logOf(GROUP), groups.topics, GROUP, id);
  // Whoever comes last reads what the others have left.
  const last = new MemberProcess(
    { library, directory, group: GROUP, topics: [], patterns: [PATTERN], name: 'last', follow: false, assignor },
    (event) => events.push(event),
  );
  await last.exited;
  const committed = await committedOffsets();
  await groups.close();
  await store.close();
  await client.close();
  anomalies.push(...checkGroupHistory({ events, killedAt, evictedAt, mayBeRefused, produced, committed }));
  counts.handled = events.filter(({ what }) => what === 'end').length;
  if (anomalies.length === 0) rmSync(root, { recursive: true, force: true });
  return { anomalies, counts, directory: root, events };
}

function lockFiles(directory: string): string[] {
  try {
    const path = join(directory, 'groups', GROUP);
    return readdirSync(path).map((name) => join(path, name));
  } catch {
    return [];
  }
}
