/** What a scenario is, and what it works with. */
import { join } from 'node:path';
import type { NewTopic } from '../../../src/clients/admin.js';
import type { Client } from '../../../src/clients/client.js';
import type { Producer } from '../../../src/clients/producer.js';
import type { Clock } from '../../../src/storage/log-context.js';
import { seededRandom } from '../../support/chooser.js';
import { newId, toRecord } from '../rig/payload.js';
import type { Machine } from './machine.js';

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
  /** Not recorded for power losses, but killed and failed at every call: the whole command line. */
  readonly isCommand?: boolean;
  /** Several processes at the same time: one of them killed is not all of them killed. */
  readonly isConcurrent?: boolean;
}

/** The data directory, below the one in which a scenario runs. */
export const DATA = 'data';

export class Stage {
  readonly name: string;
  /** The data directory. */
  readonly directory: string;
  readonly seed: number;
  readonly random: () => number;
  readonly #machine: Machine;
  #number = 0;

  /** @param root where the scenario runs */
  constructor(name: string, root: string, seed: number, machine: Machine) {
    this.name = name;
    this.directory = join(root, DATA);
    this.#machine = machine;
    this.seed = seed;
    this.random = seededRandom(seed);
  }

  /** One line of the transcript, on its way to the kernel when this returns. */
  say(line: string): void {
    this.#machine.say(`${line}\n`);
  }

  open(clock?: Clock): Promise<Client> {
    return this.openAt(this.directory, clock);
  }

  openAt(directory: string, clock?: Clock): Promise<Client> {
    return this.#machine.open(directory, clock);
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
    if (lines.length > 0) this.#machine.say(`${lines.join('\n')}\n`);
  }

  /** Starts a part of the scenario as a process of its own. Resolves when it has ended well. */
  start(part: string): Promise<void> {
    return this.#machine.start(this, part);
  }

  /** The same, and `isReady` resolves when the part says so by {@link Stage.ready}. */
  startAndWait(part: string): { readonly isReady: Promise<void>; readonly ended: Promise<void> } {
    let ready = () => {};
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const ended = this.#machine.start(this, part, ready);
    return { isReady: Promise.race([isReady, ended]), ended };
  }

  ready(): void {
    this.#machine.ready();
  }

  /** The process ends, whatever it has under way. */
  exit(): Promise<never> {
    return this.#machine.exit();
  }

  /** The command line, on the data directory. Resolves when it has ended well. */
  klog(args: readonly string[], input?: string): Promise<void> {
    return this.#machine.klog([...args, '-d', this.directory], input);
  }

  /** `cp -r` of the data directory, to a new place which it answers. Rejects when a file goes while it is looked at. */
  copy(): Promise<string> {
    return this.#machine.copy(this.directory);
  }

  discard(copy: string): void {
    this.#machine.discard(copy);
  }
}
