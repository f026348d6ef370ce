/** One round: members come and go, are killed, stopped, evicted, lose their lock files; then all that was produced is accounted for. */
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
  readonly counts: Readonly<Record<string, number>>;
  /** Kept if there are anomalies. */
  readonly directory: string;
  readonly events: readonly MemberEvent[];
}

const TOPIC = 'orders';
const GROUP = 'billing';
const ASSIGNORS = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'];
const MOST_PROCESSES = 5;

export async function runGroupRound({ library, seed, durationMs }: GroupRound): Promise<GroupRoundResult> {
  const random = seededRandom(seed);
  const below = (count: number) => Math.floor(random() * count);
  const root = mkdtempSync(join(tmpdir(), 'klog-group-round-'));
  const directory = join(root, '.klog');
  const client = await openClient({ directory, create: true });
  const store = await openStore(nodeFileSystem, directory);
  const groups = new Groups(store, { now: Date.now, elapsed: () => performance.now() });
  let partitions = 1 + below(5);
  await client.admin().createTopic({ topic: TOPIC, partitions });
  const produced = new Map<string, number>();
  const produce = async (records: number) => {
    // A producer of its own each time: it knows the partitions there are now.
    await using producer = client.producer();
    await Promise.all(
      Array.from({ length: records }, async () => {
        const partition = below(partitions);
        const place = `${TOPIC}:${partition}`;
        produced.set(place, (produced.get(place) ?? 0) + 1);
        await producer.send({ topic: TOPIC, partition, key: null, value: Buffer.from('x') });
      }),
    );
  };
  const events: MemberEvent[] = [];
  const counts: Record<string, number> = {
    started: 0,
    killed: 0,
    stopped: 0,
    evicted: 0,
    deleted: 0,
    left: 0,
    grown: 0,
  };
  const killedAt = new Map<string, number>();
  const evictedAt = new Map<string, number>();
  const processes: MemberProcess[] = [];
  const stopped = new Set<MemberProcess>();
  const assignor = ASSIGNORS[below(ASSIGNORS.length)]!;
  const running = () => processes.filter((one) => !one.hasExited && !leaving.has(one));
  const leaving = new Set<MemberProcess>();
  const start = () => {
    const plan = { library, directory, group: GROUP, topics: [TOPIC], name: `p${processes.length}`, assignor };
    const members = 1 + below(2);
    const handlerMs = below(3);
    const autoCommitIntervalMs = 20 + below(200);
    processes.push(
      new MemberProcess({ ...plan, members, handlerMs, autoCommitIntervalMs }, (event) => events.push(event)),
    );
    counts['started']!++;
  };
  const membersOf = (one: MemberProcess) => [0, 1].map((i) => `${one.name}.${i}`);
  const evict = async (memberId: string) => {
    const log = await groups.logOf(GROUP);
    const name = memberId.split('-')[0]!;
    evictedAt.set(name, monotonicUs());
    counts['evicted']!++;
    await evictMember(log, groups.topics, GROUP, memberId).catch((error: { code: string }) => {
      if (error.code !== 'KLOG_NOT_FOUND') throw error;
    });
  };
  const someMember = async (of?: MemberProcess) => {
    const log = await groups.logOf(GROUP);
    await log.refresh();
    const ids = [...log.state(GROUP).members.keys()].filter((id) => of === undefined || id.startsWith(`${of.name}.`));
    return ids[below(Math.max(1, ids.length))];
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
      counts['killed']!++;
    } else if (dice < 7) {
      if (!stopped.has(one)) {
        one.signal('SIGSTOP');
        stopped.add(one);
        counts['stopped']!++;
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
        counts['deleted']!++;
      }
    } else if (dice < 10) {
      leaving.add(one);
      if (stopped.delete(one)) one.signal('SIGCONT');
      one.signal('SIGTERM');
      counts['left']!++;
    } else if (dice < 11 && partitions < 8) {
      partitions++;
      await client.admin().createPartitions(TOPIC, partitions);
      counts['grown']!++;
    }
    await produce(below(30));
  };
  await produce(40);
  start();
  const until = performance.now() + durationMs;
  while (performance.now() < until) {
    await act();
    await new Promise((resolve) => setTimeout(resolve, 5 + below(120)));
  }
  for (const one of stopped) one.signal('SIGCONT');
  stopped.clear();
  // Dead members whose lock files a user has removed stay until they are evicted.
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const one of running()) one.signal('SIGTERM');
  await Promise.race([
    Promise.all(processes.map((one) => one.exited)),
    new Promise((resolve) => setTimeout(resolve, 20_000)),
  ]);
  const anomalies: string[] = [];
  for (const one of processes.filter((it) => !it.hasExited)) {
    anomalies.push(`${one.name} does not end`);
    one.signal('SIGKILL');
    await one.exited;
  }
  for (let left = await someMember(); left !== undefined; left = await someMember()) await evict(left);
  // Whoever comes last reads what the others have left.
  const last = new MemberProcess(
    { library, directory, group: GROUP, topics: [TOPIC], name: 'last', follow: false, assignor },
    (event) => events.push(event),
  );
  await last.exited;
  const log = await groups.logOf(GROUP);
  await log.refresh();
  const committed = new Map<string, number>();
  for (let partition = 0; partition < partitions; partition++) {
    const offset = log.group(GROUP).committed({ topic: TOPIC, partition })?.offset;
    if (offset !== undefined) committed.set(`${TOPIC}:${partition}`, offset);
  }
  await groups.close();
  await store.close();
  await client.close();
  anomalies.push(...checkGroupHistory({ events, killedAt, evictedAt, produced, committed }));
  counts['handled'] = events.filter(({ what }) => what === 'end').length;
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
