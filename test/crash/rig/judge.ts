/** Judges one state of a directory against what had been promised when the crash came. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../../../src/clients/client.js';
import { systemSeams } from '../../../src/clients/local/client-seams.js';
import { LocalClient } from '../../../src/clients/local/local-client.js';
import { KlogError } from '../../../src/errors.js';
import { openStore } from '../../../src/store/store.js';
import { newId, toRecord } from './payload.js';
import { BrokenPromise, type Content, readEverything } from './read-everything.js';
import { RebootFileSystem, type RebootOptions } from './reboot-file-system.js';
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
  /** Its error output. */
  readonly err?: string;
}

export const DATA = 'data';
const PROBE = 'probe';
const PROBE_WRITER = 9999;
const BATCHES_OF = 2;
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

  constructor(state: State) {
    this.#state = state;
    this.#path = join(state.dir, DATA);
    this.#sameBoot = state.mode !== undefined;
    this.#transcript = readTranscript(readFileSync(state.out, 'latin1'), this.#sameBoot);
  }

  async run(): Promise<void> {
    this.#judgeExit();
    const seen = await this.#visit('a reader without rights', { boot: this.#bootOf(1), keepInodes: true }, true, (c) =>
      this.#verified(c),
    );
    await this.#visit('a reader of a copy', { boot: this.#bootOf(1), keepInodes: false }, true, (c) =>
      this.#verified(c),
    );
    const here = { boot: this.#bootOf(2), keepInodes: true };
    const settled = await this.#visit('the first to open it', here, false, async (client) => {
      const content = await this.#verified(client);
      mustContain(content, seen, 'what a reader without rights had seen');
      await lookUps(client, content);
      return content;
    });
    await this.#visit('the second to open it', here, false, async (client, fs) => {
      const content = await this.#verified(client);
      mustContain(content, settled, 'what was there before');
      if (fs.changes.length > 0) {
        throw new BrokenPromise(`a settled log was changed again: ${fs.changes.slice(0, 3).join(', ')}`);
      }
    });
    const appended = await this.#visit('a writer', here, false, (client) => this.#append(client, settled));
    await this.#visit('a reader after another start', { boot: 3, keepInodes: true }, false, async (client) => {
      const content = await readEverything(client);
      mustContain(content, appended, 'what was acknowledged after the crash');
      this.#promisesHold(content);
    });
    this.#noLeftovers(appended);
  }

  #bootOf(number: number): number {
    return this.#sameBoot ? -1 : number;
  }

  /** A command that says it is done has done everything, one that failed says why. */
  #judgeExit(): void {
    const { rc, mode = '', err } = this.#state;
    if (rc === undefined || FATAL_MODES.test(mode)) return;
    if (rc < 0) throw new BrokenPromise(`the command died by signal ${-rc}`);
    if (rc === 0 && !this.#transcript.isDone) throw new BrokenPromise('exit 0, but it did not do everything');
    if (rc !== 0 && this.#transcript.isDone) throw new BrokenPromise(`exit ${rc}, though it had done everything`);
    if (rc !== 0 && err !== undefined && statSync(err).size === 0) throw new BrokenPromise(`exit ${rc} without a word`);
  }

  async #visit<T>(
    who: string,
    options: RebootOptions,
    readOnly: boolean,
    visit: (client: Client, fs: RebootFileSystem) => Promise<T>,
  ): Promise<T> {
    const fs = new RebootFileSystem({ ...options, syncs: false });
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

  /** The log takes new records, at its end, and a topic can be made. */
  async #append(client: Client, before: Content): Promise<Content> {
    const producer = client.producer({ lingerMs: 0 });
    await client.admin().createTopic({ topic: PROBE });
    const expected: Content = new Map([...before, [PROBE, [{ firstOffset: 0, ids: [] }]]]);
    for (const [topic, partitions] of expected) {
      const after = partitions.map(({ firstOffset, ids }) => ({ firstOffset, ids: [...ids] }));
      expected.set(topic, after);
      for (const [partition, { firstOffset, ids }] of after.entries()) {
        const records = Array.from({ length: BATCHES_OF }, (_, n) => newId('r', PROBE_WRITER, n, 120));
        const sent = await producer.sendAll(records.map((id) => toRecord(topic, partition, id)));
        const place = ids.length === 0 ? undefined : firstOffset + ids.length;
        const first = sent[0]!.offset;
        if (place !== undefined && first !== place) {
          throw new BrokenPromise(`${topic}-${partition} goes on at ${first}, expected ${place}`);
        }
        if (ids.length === 0) after[partition] = { firstOffset: first, ids: records };
        else ids.push(...records);
      }
    }
    await producer.close();
    const content = await readEverything(client);
    mustContain(content, expected, 'what was just acknowledged');
    return content;
  }

  /** What kills have left is gone when topics have been changed once. */
  #noLeftovers(content: Content): void {
    const wanted = new Set(['meta.properties', '.lock']);
    for (const [topic, partitions] of content) for (const p of partitions.keys()) wanted.add(`${topic}-${p}`);
    for (const name of readdirSync(join(this.#path, 'log'))) {
      if (!wanted.delete(name)) throw new BrokenPromise(`log/${name} is left over`);
    }
    for (const name of readdirSync(join(this.#path, 'topics'))) {
      const topic = name.endsWith('.json') ? name.slice(0, -5) : undefined;
      if (name !== '.lock' && !content.has(topic ?? '')) throw new BrokenPromise(`topics/${name} is left over`);
    }
    for (const name of readdirSync(this.#state.dir)) if (name !== DATA) throw new BrokenPromise(`${name} is left over`);
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
      if (ids.length > 0 && now.firstOffset !== firstOffset)
        throw new BrokenPromise(`${topic}-${partition} begins elsewhere`);
      for (const [at, id] of ids.entries()) {
        if (now.ids[at] !== id) {
          throw new BrokenPromise(
            `${topic}-${partition} has ${now.ids[at]} at ${firstOffset + at}, not ${id}: ${what}`,
          );
        }
      }
    }
  }
}

/** By the indexes: an offset from the middle, and the time of a record, lead where reading everything led. */
async function lookUps(client: Client, content: Content): Promise<void> {
  for (const [topic, partitions] of content) {
    for (const [partition, { firstOffset, ids }] of partitions.entries()) {
      if (ids.length < 2) continue;
      const at = ids.length - 1 - (ids.length >> 2);
      const from = firstOffset + at;
      const consumer = client.consumer({ topics: [{ topic, partitions: [partition] }], from });
      for await (const { cursor } of consumer.batches()) {
        if (cursor.next() && cursor.offset === from) break;
        throw new BrokenPromise(`${topic}-${partition}: reading from ${from} begins at ${cursor.offset}`);
      }
      await consumer.close();
      await timeLookUp(client, topic, partition, { firstOffset, ids });
    }
  }
}

async function timeLookUp(
  client: Client,
  topic: string,
  partition: number,
  { firstOffset, ids }: { firstOffset: number; ids: readonly string[] },
): Promise<void> {
  const timestamps: number[] = [];
  const consumer = client.consumer({ topics: [{ topic, partitions: [partition] }] });
  for await (const { cursor } of consumer.batches()) while (cursor.next()) timestamps.push(cursor.timestamp);
  await consumer.close();
  const timestamp = timestamps[(ids.length * 2) % timestamps.length]!;
  const expected = firstOffset + timestamps.findIndex((other) => other >= timestamp);
  const [found] = await client.admin().listOffsets(topic, { timestamp }, [partition]);
  if (found?.offset !== expected) {
    throw new BrokenPromise(`${topic}-${partition}: time ${timestamp} leads to ${found?.offset}, expected ${expected}`);
  }
}
