/**
 * Who comes to a state after the crash, and what they find. It follows from the bytes of the state alone, not from what
 * had been promised: so what was found once is remembered, for of a thousand states most settle to one that was there
 * before.
 */

import { createHash } from 'node:crypto';
import type { Client } from '../../../src/clients/client.js';
import { KlogError } from '../../../src/errors.js';
import { openStore } from '../../../src/store/store.js';
import { DATA } from '../scenarios/scenario.js';
import { clientOn } from './client-on.js';
import { type Commits, commitAgain, readCommits } from './commits.js';
import { lookUps } from './look-ups.js';
import type { MemoryDisk } from './memory-disk.js';
import { MemoryFileSystem, type MemoryOptions } from './memory-file-system.js';
import { newId, PROBE_WRITER, toRecord } from './payload.js';
import { PROBE } from './promises.js';
import { BrokenPromise, type Content, type PartitionContent, readEverything } from './read-everything.js';
import { bootIdOf, currentBootId } from './reboot-file-system.js';

interface Visitor {
  readonly who: string;
  /** Which start of the machine it is. */
  readonly start: number;
  readonly readOnly?: boolean;
  readonly isCopy?: boolean;
}

const READER: Visitor = { who: 'a reader without rights', start: 1, readOnly: true };
const COPY_READER: Visitor = { who: 'a reader of a copy', start: 1, readOnly: true, isCopy: true };
const FIRST: Visitor = { who: 'the first to open it', start: 2 };
const SECOND: Visitor = { who: 'the second to open it', start: 2 };
const WRITER: Visitor = { who: 'a writer', start: 2 };
const LATER_COPY_READER: Visitor = { who: 'a reader of a later copy', start: 3, readOnly: true, isCopy: true };
const LATER: Visitor = { who: 'a reader after another start', start: 3 };

const PROBE_NUMBERS = [0, 1];
const EMPTY = { content: new Map(), commits: new Map() } as const;
const NOTHING: PartitionContent = { offsets: [], ids: [], timestamps: [] };

/** What a visitor found. */
export interface Found {
  readonly who: string;
  readonly content: Content;
  readonly commits: Commits;
}

/** Up to the first who may settle. */
export interface FirstLook {
  /** Those who may not. */
  readonly before: readonly Found[];
  readonly settled: Found;
  /** How many calls the first one made that change something or make it safe. */
  readonly settleCalls: number;
  /** The state as it is settled. */
  readonly disk: MemoryDisk;
}

/** From then on. */
export interface Aftermath {
  readonly again: Found;
  /** What the second to open it changed. */
  readonly changes: readonly string[];
  /** What was acknowledged after the crash. */
  readonly appended: Content;
  readonly copied: Found;
  readonly later: Found;
  /** In the end. */
  readonly disk: MemoryDisk;
}

export interface SettleKill {
  readonly found: Found;
  readonly changes: readonly string[];
}

/** It stands still, so that states which settle alike become the same. */
const NOW = Date.now();
const CLOCK = { now: () => NOW, uptime: () => 1_000_000 };
const MOST_REMEMBERED = 2000;
const looks = new Map<string, FirstLook>();
const aftermaths = new Map<string, Aftermath>();
/** Directories in which settling has been killed. */
const settledWithKills = new WeakSet<FirstLook>();

export class Visits {
  readonly #sameBoot: boolean;

  /** @param sameBoot the machine went on */
  constructor(sameBoot: boolean) {
    this.#sameBoot = sameBoot;
  }

  firstLook(state: MemoryDisk): Promise<FirstLook> {
    return this.#remembered(looks, state, async (disk) => {
      const before: Found[] = [];
      for (const visitor of [READER, COPY_READER]) before.push(await this.#look(disk, visitor));
      let settleCalls = 0;
      const settled = await this.#visit(disk, FIRST, async (client, fs) => {
        const found = await find(client);
        settleCalls = fs.calls;
        await lookUps(client, found.content);
        return found;
      });
      return { before, settled: { who: FIRST.who, ...(settled ?? EMPTY) }, settleCalls, disk };
    });
  }

  aftermath({ disk: settledDisk, settled }: FirstLook): Promise<Aftermath> {
    return this.#remembered(aftermaths, settledDisk, async (disk) => {
      const changes: string[] = [];
      const again = await this.#look(disk, SECOND, changes);
      const appended = await this.#visit(disk, WRITER, (client) => append(client, settled));
      const copied = await this.#look(disk, LATER_COPY_READER);
      const later = await this.#look(disk, LATER);
      return { again, changes, appended: appended ?? new Map(), copied, later, disk };
    });
  }

  /**
   * The first to open it is killed at every one of its calls, before it and, if it writes, in the middle. Answers what
   * those find who come next; nothing for a directory that had its turn.
   */
  async *settleKills(state: MemoryDisk, look: FirstLook): AsyncGenerator<SettleKill> {
    if (settledWithKills.has(look)) return;
    settledWithKills.add(look);
    const { settleCalls } = look;
    for (let diesAt = 1; diesAt <= settleCalls; diesAt++) {
      for (const tears of [false, true]) {
        const disk = state.clone();
        const fs = this.#fileSystem(disk, FIRST, { diesAt, tears });
        await open(fs, false, (client) => readEverything(client)).catch(() => {});
        if (tears && !fs.hasTorn) continue;
        const who = `the next, when the first to open it was killed ${tears ? 'in' : 'before'} call ${diesAt}`;
        yield { found: await this.#look(disk, { who, start: 2 }), changes: [] };
        const changes: string[] = [];
        yield { found: await this.#look(disk, { who: `after ${who}`, start: 2 }, changes), changes };
      }
    }
  }

  async #remembered<T>(known: Map<string, T>, state: MemoryDisk, visit: (disk: MemoryDisk) => Promise<T>): Promise<T> {
    const digest = this.#digest(state);
    let found = known.get(digest);
    if (found === undefined) {
      found = await visit(state.clone());
      if (known.size === MOST_REMEMBERED) known.clear();
      known.set(digest, found);
    }
    return found;
  }

  #digest(disk: MemoryDisk): string {
    const hash = createHash('sha1').update(`${this.#sameBoot}`);
    for (const [path, { bytes }] of disk.files()) hash.update(`\n${path} ${bytes.length}\n`).update(bytes);
    for (const path of disk.directories()) hash.update(`\n${path}/`);
    return hash.digest('base64');
  }

  async #look(disk: MemoryDisk, visitor: Visitor, changes: string[] = []): Promise<Found> {
    const found = await this.#visit(disk, visitor, async (client, fs) => {
      const all = await find(client);
      changes.push(...fs.changes);
      return all;
    });
    return { who: visitor.who, ...(found ?? EMPTY) };
  }

  /** `undefined`: there is no log, and the visitor may not make one. */
  async #visit<T>(
    disk: MemoryDisk,
    visitor: Visitor,
    use: (client: Client, fs: MemoryFileSystem) => Promise<T>,
  ): Promise<T | undefined> {
    const { who, readOnly = false } = visitor;
    const fs = this.#fileSystem(disk, visitor);
    try {
      return await open(fs, readOnly, (client) => use(client, fs));
    } catch (error) {
      if (error instanceof KlogError && error.code === 'KLOG_NOT_FOUND' && readOnly) return undefined;
      if (error instanceof BrokenPromise) throw new BrokenPromise(`${who}: ${error.message}`);
      throw Object.assign(new Error(`${who}: ${(error as Error).message}`, { cause: error }), {
        stack: `${who}: ${(error as Error).stack}`,
      });
    }
  }

  #fileSystem(disk: MemoryDisk, { start, isCopy = false }: Visitor, dies: Partial<MemoryOptions> = {}) {
    // Whatever the mode, the machine is started again in the end.
    const goesOn = this.#sameBoot && start < 3;
    const bootId = goesOn ? currentBootId() : bootIdOf(start);
    return new MemoryFileSystem(disk, { bootId, isCopy, ...dies });
  }
}

async function open<T>(fs: MemoryFileSystem, readOnly: boolean, use: (client: Client) => Promise<T>): Promise<T> {
  const path = `${fs.root}/${DATA}`;
  const options = { readOnly, create: !readOnly, lockWaitMs: 2000, clock: CLOCK, onWarning() {} };
  const store = await openStore(fs, path, options);
  const client = clientOn(store);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function find(client: Client): Promise<Omit<Found, 'who'>> {
  return { content: await readEverything(client), commits: await readCommits(client) };
}

/** New records for every partition, and a new topic; what was committed is committed once more. */
async function append(client: Client, { content: before, commits }: Found): Promise<Content> {
  const producer = client.producer({ lingerMs: 0 });
  await client.admin().createTopic({ topic: PROBE });
  const after: Content = new Map();
  for (const [topic, partitions] of [...before, [PROBE, [NOTHING]] as const]) {
    const contents: PartitionContent[] = [];
    after.set(topic, contents);
    for (const partition of partitions.keys()) {
      const ids = PROBE_NUMBERS.map((number) => newId('c', PROBE_WRITER, number, 120));
      const sent = await producer.sendAll(ids.map((id) => toRecord(topic, partition, id)));
      contents.push({ offsets: sent.map(({ offset }) => offset), ids, timestamps: [] });
    }
  }
  await producer.close();
  await commitAgain(client, commits);
  return after;
}
