/**
 * A directory with a topic, and processes with members of a group over it; what they say is kept up with as it comes.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../src/clients/client.js';
import { openClient } from '../../src/clients/local/open-client.js';
import { type MemberEvent, type MemberPlan, MemberProcess } from '../../test/group-history/member-process.js';

export const GROUP = 'g';
export const TOPIC = 'orders';

export interface Owner {
  readonly member: string;
  /** Since when, in microseconds of the monotonic clock. */
  readonly at: number;
}

/** Who has which partition, by what the members say. */
export class Ownership {
  /** By `topic:partition`. */
  readonly owners = new Map<string, Owner>();
  joined = 0;
  lastJoinAt = 0;
  lastAssignAt = 0;

  take({ what, at, member, words }: MemberEvent): void {
    if (what === 'failed') throw new Error(`${member} failed: ${words.join(' ')}`);
    if (what === 'joined') {
      this.joined++;
      this.lastJoinAt = Math.max(this.lastJoinAt, at);
    }
    if (what !== 'assigned' && what !== 'revoked') return;
    const places = (words[0] ?? '').split(',').map((place) => place.split('@')[0]!);
    for (const place of places) {
      // What two processes say may come in another order than it was said in.
      const known = this.owners.get(place);
      if (what === 'assigned' && (known === undefined || known.at < at)) this.owners.set(place, { member, at });
      if (what === 'revoked' && known?.member === member) this.owners.delete(place);
    }
    if (what === 'assigned') this.lastAssignAt = Math.max(this.lastAssignAt, at);
  }

  /** What a process has; its members are named `<process>.<number>`. */
  of(process: string): string[] {
    return [...this.owners].filter(([, { member }]) => member.startsWith(`${process}.`)).map(([place]) => place);
  }

  /** How many members have something. */
  get busyMembers(): number {
    return new Set([...this.owners.values()].map(({ member }) => member)).size;
  }
}

export interface Stage {
  readonly directory: string;
  readonly client: Client;
  readonly ownership: Ownership;
  /** Those that were not killed. */
  readonly processes: MemberProcess[];
  /** Told of everything that members say. */
  onEvent: (event: MemberEvent) => void;
  start(plan: { readonly name: string } & Partial<MemberPlan>): MemberProcess;
}

/** @param library directory of the built library */
export async function onStage<T>(library: string, partitions: number, play: (stage: Stage) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'klog-group-bench-'));
  const directory = join(root, '.klog');
  const client = await openClient({ directory, create: true });
  await client.admin().createTopic({ topic: TOPIC, partitions });
  const ownership = new Ownership();
  const stage: Stage = {
    directory,
    client,
    ownership,
    processes: [],
    onEvent: () => {},
    start(plan) {
      const one = new MemberProcess({ library, directory, group: GROUP, topics: [TOPIC], ...plan }, (event) => {
        ownership.take(event);
        stage.onEvent(event);
      });
      stage.processes.push(one);
      return one;
    },
  };
  try {
    return await play(stage);
  } finally {
    for (const one of stage.processes) one.signal('SIGTERM');
    await Promise.all(stage.processes.map((one) => one.exited));
    await client.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** @throws Error after a minute */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it takes too long');
    await sleep(2);
  }
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** User and system time of a process and all its threads, in milliseconds. */
export function cpuMsOf(pid: number): number {
  const TICKS_PER_SECOND = 100;
  // The name of the program, which may have blanks, stands in brackets.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000;
}
