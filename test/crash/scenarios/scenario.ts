/** What a scenario is, and what it works with. */
import { type StdioOptions, spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { NewTopic } from '../../../src/clients/admin.js';
import type { Client } from '../../../src/clients/client.js';
import { systemSeams } from '../../../src/clients/local/client-seams.js';
import { LocalClient } from '../../../src/clients/local/local-client.js';
import type { Producer } from '../../../src/clients/producer.js';
import { nodeFileSystem } from '../../../src/storage/file-system-node.js';
import type { Clock } from '../../../src/storage/log-context.js';
import { openStore } from '../../../src/store/store.js';
import { seededRandom } from '../../support/chooser.js';
import { newId, toRecord } from '../rig/payload.js';
import { RebootFileSystem } from '../rig/reboot-file-system.js';
import { DATA } from '../rig/visits.js';

export interface Scenario {
  readonly name: string;
  /** What of klog it puts to the test. */
  readonly about: string;
  /** Prints its promises (transcript.ts), and `done` is printed behind it. */
  run(stage: Stage): Promise<void>;
  /** Other programs of it, which `run` starts by {@link Stage.start}. */
  readonly parts?: Readonly<Record<string, (stage: Stage) => Promise<void>>>;
  /** The start is a crash of this other scenario. */
  readonly after?: string;
  /** Not recorded, but killed and failed at every call: the whole command line. */
  readonly isCommand?: boolean;
}

export class Stage {
  readonly name: string;
  /** The data directory. */
  readonly directory: string;
  readonly seed: number;
  readonly random: () => number;
  #number = 0;

  constructor(name: string, directory: string, seed: number) {
    this.name = name;
    this.directory = join(directory, DATA);
    this.seed = seed;
    this.random = seededRandom(seed);
  }

  /** One line of the transcript, on its way to the kernel when this returns. */
  say(line: string): void {
    writeSync(1, `${line}\n`);
  }

  /** Where KLOG_CRASH_BOOT is set the machine has been started again since the files were written. */
  open(clock?: Clock): Promise<Client> {
    return this.openAt(this.directory, clock);
  }

  async openAt(directory: string, clock?: Clock): Promise<Client> {
    const { KLOG_CRASH_BOOT: boot } = process.env;
    const fs = boot === undefined ? nodeFileSystem : new RebootFileSystem(Number(boot));
    return new LocalClient(await openStore(fs, directory, { create: true, clock }), systemSeams);
  }

  async create(client: Client, newTopic: NewTopic): Promise<void> {
    const { topic, partitions = 1 } = newTopic;
    this.say(`creating ${topic} ${partitions}`);
    await client.admin().createTopic(newTopic);
    this.say(`created ${topic} ${partitions}`);
  }

  /** The id of a new record, of mostly small and now and then larger ones. */
  id(writer = 0, largest = 900): string {
    const size = Math.floor(this.random() ** 3 * largest);
    return newId('r', writer, this.#number++, size);
  }

  ids(count: number, writer = 0, largest = 900): string[] {
    return Array.from({ length: count }, () => this.id(writer, largest));
  }

  /** Of records that all have a key. */
  keyedIds(count: number, writer = 0, largest = 400): string[] {
    return this.ids(count, writer, largest).map((id) => id.replace('r', 'c'));
  }

  async send(producer: Producer, topic: string, partition: number, id: string, promise = 'ack'): Promise<void> {
    const { offset } = await producer.send(toRecord(topic, partition, id));
    this.say(`${promise} ${topic} ${partition} ${offset} ${id}`);
  }

  async sendAll(producer: Producer, topic: string, partition: number, ids: readonly string[]): Promise<void> {
    const sent = await producer.sendAll(ids.map((id) => toRecord(topic, partition, id)));
    this.sayAll(sent.map(({ offset }, at) => `ack ${topic} ${partition} ${offset} ${ids[at]}`));
  }

  sayAll(lines: readonly string[]): void {
    if (lines.length > 0) writeSync(1, `${lines.join('\n')}\n`);
  }

  /** Starts a part of the scenario as a process of its own. Resolves when it has ended well. */
  start(part: string): Promise<void> {
    return this.#run(process.execPath, this.#partArguments(part), ['ignore', 'inherit', 'inherit']);
  }

  /** The same, and `isReady` resolves when the part says so by {@link Stage.ready}. */
  startAndWait(part: string): { readonly isReady: Promise<void>; readonly ended: Promise<void> } {
    let ready = () => {};
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const ended = this.#run(
      process.execPath,
      this.#partArguments(part),
      ['ignore', 'inherit', 'inherit', 'ipc'],
      ready,
    );
    return { isReady: Promise.race([isReady, ended]), ended };
  }

  ready(): void {
    process.send?.('ready');
    process.disconnect?.();
  }

  #partArguments(part: string): string[] {
    return [process.argv[1]!, `${this.name}/${part}`, join(this.directory, '..'), `${this.seed}`];
  }

  command(file: string, args: readonly string[], input?: string): Promise<void> {
    return this.#run(file, args, [input === undefined ? 'ignore' : 'pipe', 'inherit', 'inherit'], undefined, input);
  }

  #run(file: string, args: readonly string[], stdio: StdioOptions, ready?: () => void, input?: string): Promise<void> {
    const child = spawn(file, args, { stdio });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    if (ready !== undefined) child.once('message', ready);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`${args.slice(0, 3).join(' ')} ended with ${signal ?? code}`));
      });
    });
  }
}
