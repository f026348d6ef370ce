/** Judges one state of a directory against what had been promised when the crash came. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../../../src/clients/client.js';
import { systemSeams } from '../../../src/clients/local/client-seams.js';
import { LocalClient } from '../../../src/clients/local/local-client.js';
import { KlogError } from '../../../src/errors.js';
import { openStore } from '../../../src/store/store.js';
import { MemoryDisk, MemoryFileSystem } from './memory-file-system.js';
import { newId, toRecord } from './payload.js';
import { BrokenPromise, type Content, type PartitionContent, readEverything } from './read-everything.js';
import { type JudgedFileSystem, RebootFileSystem } from './reboot-file-system.js';
import { type PromisedTopic, readTranscript, type Transcript } from './transcript.js';

export interface State {
  /** Where the scenario ran; its data directory is `data` in there. */
  readonly dir: string;
  /** A file with what it had printed. */
  readonly out: string;
  /** After a kill or an error the machine goes on: what was written counts, and the boot is the same. */
  readonly mode?: string;
  /** The command's exit status, where it came to one. */
  readonly rc?: number;
  /** The call that the kill or the error met. */
  readonly hit?: string;
  /** Its error output. */
  readonly err?: string;
  /** Judge the files themselves, not what they hold: slower, and the same. */
  readonly inPlace?: boolean;
}

interface Visitor {
  readonly who: string;
  /** Which start of the machine it is. */
  readonly start: number;
  readonly readOnly?: boolean;
  readonly isCopy?: boolean;
}

export const DATA = 'data';
const PROBE = 'probe';
const PROBE_WRITER = 9999;
const PROBE_NUMBERS = [0, 1];
const NOTHING: PartitionContent = { firstOffset: 0, ids: [], timestamps: [] };
const FAILED_SYNC = /^f(data)?sync /;
const FATAL_MODES = /^kill-/;

/** Answers what is wrong with the state; `undefined`: nothing. Changes the directory. */
export async function judge(state: State): Promise<string | undefined> {
  try {
    await new Judgement(state).run();
    return undefined;
  } catch (error) {
    if (error instanceof BrokenPromise) return error.message;
    return `${error instanceof KlogError ? error.code : ''} ${(error as Error).stack ?? error}`.trim();
  }
}

class Judgement {
  readonly #path: string;
  readonly #state: State;
  readonly #transcript: Transcript;
  /** The machine went on after it. */
  readonly #sameBoot: boolean;
  /** `undefined`: judged in place. */
  readonly #disk: MemoryDisk | undefined;

  constructor(state: State) {
    this.#state = state;
    this.#path = join(state.dir, DATA);
    this.#sameBoot = state.mode !== undefined;
    this.#disk = this.#sameBoot || state.inPlace === true ? undefined : new MemoryDisk(state.dir);
    this.#transcript = readTranscript(readFileSync(state.out, 'latin1'), this.#sameBoot);
  }

  async run(): Promise<void> {
    this.#judgeExit();
    const seen = await this.#visit({ who: 'a reader without rights', start: 1, readOnly: true }, (client) =>
      this.#verified(client),
    );
    await this.#visit({ who: 'a reader of a copy', start: 1, readOnly: true, isCopy: true }, (client) =>
      this.#verified(client),
    );
    const settled = await this.#visit({ who: 'the first to open it', start: 2 }, async (client) => {
      const content = await this.#verified(client);
      mustContain(content, seen, 'what a reader without rights had seen');
      await lookUps(client, content);
      return content;
    });
    await this.#visit({ who: 'the second to open it', start: 2 }, async (client, fs) => {
      const content = await this.#verified(client);
      mustContain(content, settled, 'what was there before');
      if (fs.changes.length > 0) {
        throw new BrokenPromise(`a settled log was changed again: ${fs.changes.slice(0, 3).join(', ')}`);
      }
    });
    const appended = await this.#visit({ who: 'a writer', start: 2 }, (client) => this.#append(client, settled));
    await this.#visit({ who: 'a reader of a later copy', start: 3, readOnly: true, isCopy: true }, async (client) =>
      mustContain(await readEverything(client), appended, 'what was acknowledged after the crash'),
    );
    await this.#visit({ who: 'a reader after another start', start: 3 }, async (client, fs) => {
      const content = await readEverything(client);
      mustContain(content, settled, 'what was there before the new records');
      mustContain(content, appended, 'what was acknowledged after the crash');
      this.#promisesHold(content);
      await this.#noLeftovers(fs, content);
    });
  }

  /** A command that says it is done has done everything, one that failed says why. */
  #judgeExit(): void {
    const { rc, mode = '', hit = '', err } = this.#state;
    if (rc === undefined || FATAL_MODES.test(mode)) return;
    if (rc < 0) throw new BrokenPromise(`the command died by signal ${-rc}`);
    if (mode === 'short' && rc !== 0) throw new BrokenPromise(`exit ${rc} after a write that took a part of its bytes`);
    if (mode !== 'short' && rc === 0 && FAILED_SYNC.test(hit)) throw new BrokenPromise(`exit 0 after a failed ${hit}`);
    if (rc === 0 && !this.#transcript.isDone) throw new BrokenPromise('exit 0, but it did not do everything');
    if (rc !== 0 && this.#transcript.isDone) throw new BrokenPromise(`exit ${rc}, though it had done everything`);
    if (rc !== 0 && err !== undefined && statSync(err).size === 0) throw new BrokenPromise(`exit ${rc} without a word`);
  }

  async #visit<T>(visitor: Visitor, visit: (client: Client, fs: JudgedFileSystem) => Promise<T>): Promise<T> {
    const { who, readOnly = false } = visitor;
    const fs = this.#fileSystem(visitor);
    try {
      const store = await openStore(fs, this.#path, { readOnly, create: !readOnly, lockWaitMs: 2000 });
      const client = new LocalClient(store, systemSeams);
      try {
        return await visit(client, fs);
      } finally {
        await client.close();
      }
    } catch (error) {
      if (error instanceof KlogError && error.code === 'KLOG_NOT_FOUND' && readOnly) {
        const nothing: Content = new Map();
        this.#promisesHold(nothing);
        return nothing as T;
      }
      if (error instanceof BrokenPromise) throw new BrokenPromise(`${who}: ${error.message}`);
      throw Object.assign(new Error(`${who}: ${(error as Error).message}`, { cause: error }), {
        stack: `${who}: ${(error as Error).stack}`,
      });
    }
  }

  #fileSystem({ start, isCopy = false }: Visitor): JudgedFileSystem {
    if (this.#disk !== undefined) return new MemoryFileSystem(this.#disk, start, isCopy);
    // Whatever the mode, the machine is started again in the end.
    const boot = this.#sameBoot && start < 3 ? Number(process.env.KLOG_CRASH_BOOT ?? -1) : start;
    return new RebootFileSystem({ boot, keepInodes: !isCopy, syncs: false });
  }

  async #verified(client: Client): Promise<Content> {
    const content = await readEverything(client);
    this.#promisesHold(content);
    return content;
  }

  #promisesHold(content: Content): void {
    for (const [topic, promised] of this.#transcript.topics) {
      const partitions = content.get(topic);
      if (partitions === undefined) {
        if (promised.existence === 'yes') throw new BrokenPromise(`topic ${topic} was created, and is gone`);
        continue;
      }
      if (promised.existence === 'no') throw new BrokenPromise(`topic ${topic} was deleted, and is there`);
      if (partitions.length < promised.fewest || partitions.length > promised.most) {
        throw new BrokenPromise(`topic ${topic} has ${partitions.length} partitions`);
      }
      recordsHold(topic, promised, content);
    }
    for (const topic of content.keys()) {
      if (!this.#transcript.topics.has(topic) && topic !== PROBE)
        throw new BrokenPromise(`a topic ${topic} of nobody's`);
    }
  }

  /** The log takes new records, at its end, and a topic can be made. Answers what must be there from now on. */
  async #append(client: Client, before: Content): Promise<Content> {
    const producer = client.producer({ lingerMs: 0 });
    await client.admin().createTopic({ topic: PROBE });
    const after: Content = new Map();
    for (const [topic, partitions] of [...before, [PROBE, [NOTHING]] as const]) {
      after.set(topic, []);
      for (const [partition, { firstOffset, ids }] of partitions.entries()) {
        const more = PROBE_NUMBERS.map((number) => newId('r', PROBE_WRITER, number, 120));
        const sent = await producer.sendAll(more.map((id) => toRecord(topic, partition, id)));
        const first = sent[0]!.offset;
        const end = firstOffset + ids.length;
        // What a killed writer has written and never reported may join the log as late as the next writer settles it.
        const mayBeMore = this.#sameBoot && first > end;
        if (ids.length > 0 && first !== end && !mayBeMore) {
          throw new BrokenPromise(`${topic}-${partition} goes on at ${first}, expected ${end}`);
        }
        after.get(topic)!.push({ firstOffset: first, ids: more, timestamps: [] });
      }
    }
    await producer.close();
    return after;
  }

  /** What kills have left is gone when topics have been changed once. */
  async #noLeftovers(fs: JudgedFileSystem, content: Content): Promise<void> {
    const partitions = [...content].flatMap(([topic, all]) => all.map((_, partition) => `${topic}-${partition}`));
    const wanted = {
      [this.#state.dir]: [DATA],
      [join(this.#path, 'log')]: ['meta.properties', '.lock', ...partitions],
      [join(this.#path, 'topics')]: ['.lock', ...[...content.keys()].map((topic) => `${topic}.json`)],
    };
    for (const [directory, names] of Object.entries(wanted)) {
      const more = (await fs.readDirectory(directory)).filter((name) => !names.includes(name));
      if (more.length > 0) throw new BrokenPromise(`left over in ${directory}: ${more.join(', ')}`);
    }
  }
}

function recordsHold(topic: string, promised: PromisedTopic, content: Content): void {
  for (const [partition, records] of promised.records) {
    const found = content.get(topic)?.[partition];
    for (const { offset, id, line } of records) {
      const there = found?.ids[offset - found.firstOffset];
      if (there === undefined)
        throw new BrokenPromise(`lost: "${line}", ${topic}-${partition} has ${found?.ids.length}`);
      if (there !== id) throw new BrokenPromise(`exchanged: "${line}", and there is ${there}`);
    }
  }
  for (const [partition, { ids }] of (content.get(topic) ?? []).entries()) {
    const own = ids.filter((id) => !id.startsWith(`r${PROBE_WRITER}.`));
    if (new Set(own).size !== own.length) {
      const twice = own.find((id, at) => own.indexOf(id) !== at);
      throw new BrokenPromise(`${topic}-${partition} has ${twice} twice`);
    }
  }
}

function mustContain(content: Content, earlier: Content, what: string): void {
  for (const [topic, partitions] of earlier) {
    for (const [partition, { firstOffset, ids }] of partitions.entries()) {
      const now = content.get(topic)?.[partition];
      if (now === undefined) throw new BrokenPromise(`${topic}-${partition} is gone, ${what}`);
      for (const [at, id] of ids.entries()) {
        const there = now.ids[firstOffset + at - now.firstOffset];
        if (there === id) continue;
        throw new BrokenPromise(`${topic}-${partition} has ${there} at ${firstOffset + at}, not ${id}: ${what}`);
      }
    }
  }
}

/** By the indexes: an offset from the middle, and the time of a record, lead where reading everything led. */
async function lookUps(client: Client, content: Content): Promise<void> {
  for (const [topic, partitions] of content) {
    for (const [partition, found] of partitions.entries()) {
      const { firstOffset, ids } = found;
      if (ids.length < 2) continue;
      const at = ids.length - 1 - (ids.length >> 2);
      const from = firstOffset + at;
      const consumer = client.consumer({ topics: [{ topic, partitions: [partition] }], from });
      for await (const { cursor } of consumer.batches()) {
        if (cursor.next() && cursor.offset === from) break;
        throw new BrokenPromise(`${topic}-${partition}: reading from ${from} begins at ${cursor.offset}`);
      }
      await consumer.close();
      await timeLookUp(client, topic, partition, found);
    }
  }
}

async function timeLookUp(
  client: Client,
  topic: string,
  partition: number,
  { firstOffset, timestamps }: PartitionContent,
): Promise<void> {
  const timestamp = timestamps[timestamps.length >> 1]!;
  const expected = firstOffset + timestamps.findIndex((other) => other >= timestamp);
  const [found] = await client.admin().listOffsets(topic, { timestamp }, [partition]);
  if (found?.offset !== expected) {
    throw new BrokenPromise(`${topic}-${partition}: time ${timestamp} leads to ${found?.offset}, expected ${expected}`);
  }
}
