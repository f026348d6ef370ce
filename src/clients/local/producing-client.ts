import { KlogError } from '../../errors.js';
import type { Groups } from '../../groups/groups.js';
import type { Admin } from '../admin.js';
import type { Client } from '../client.js';
import type { Consumer, ConsumerOptions } from '../consumer.js';
import type { GroupConsumer, GroupConsumerOptions } from '../group-consumer.js';
import type { Producer, ProducerOptions } from '../producer.js';
import type { ClientSeams } from './client-seams.js';
import { LocalAdmin } from './local-admin.js';
import { LocalProducer } from './local-producer.js';
import type { LocalStore } from './local-store.js';

/**
 * Topics in a directory, without consumers: a short command that only writes, or looks at topics, is spared
 * milliseconds of loading them.
 */
export class ProducingClient implements Client {
  readonly warnings: readonly string[];
  protected readonly store: LocalStore;
  protected readonly seams: ClientSeams;
  readonly #producers = new Set<Producer>();
  protected readonly consumers = new Set<Consumer>();
  /** Of those that were closed by somebody else, who is told how that goes. */
  readonly #closings = new Set<Promise<void>>();
  readonly #openGroups: () => Promise<Groups>;
  #opened: Promise<Groups> | undefined;
  #closing: Promise<void> | undefined;

  /** The client closes the store. `openGroups` is called when the first group is. */
  constructor(
    store: LocalStore,
    seams: ClientSeams,
    warnings: readonly string[] = [],
    openGroups: () => Promise<Groups> = noGroups,
  ) {
    this.store = store;
    this.#openGroups = openGroups;
    this.seams = seams;
    this.warnings = warnings;
  }

  producer(options: ProducerOptions = {}): Producer {
    this.mustBeOpen();
    const producer = new LocalProducer(this.store, options, this.seams, (closing) =>
      this.closes(this.#producers, producer, closing),
    );
    this.#producers.add(producer);
    return producer;
  }

  consumer(options: GroupConsumerOptions): GroupConsumer;
  consumer(options: ConsumerOptions): Consumer;
  consumer(_options: ConsumerOptions | GroupConsumerOptions): Consumer {
    throw new TypeError('this client was opened without consumers');
  }

  admin(): Admin {
    this.mustBeOpen();
    return new LocalAdmin(this.store, () => this.groups(), this.seams.now);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Everything is closed, whatever fails; the first failure that nobody has been told of is what the caller hears. */
  async #close(): Promise<void> {
    const open = [...this.consumers, ...this.#producers];
    const outcomes = await Promise.allSettled(open.map((one) => one[Symbol.asyncDispose]()));
    // What lets go of its files needs them for that.
    await Promise.all(this.#closings);
    await (await this.#opened?.catch(() => undefined))?.close();
    await this.store.close();
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** `one` is being closed. */
  protected closes<T>(open: Set<T>, one: T, closing: Promise<void>): void {
    open.delete(one);
    const ended = closing.catch(() => {}).finally(() => this.#closings.delete(ended));
    this.#closings.add(ended);
  }

  protected groups(): Promise<Groups> {
    this.#opened ??= this.#openGroups();
    return this.#opened;
  }

  protected mustBeOpen(): void {
    if (this.#closing !== undefined) throw new KlogError('KLOG_CLOSED', 'the client is closed');
  }
}

function noGroups(): Promise<Groups> {
  return Promise.reject(new KlogError('KLOG_UNSUPPORTED', 'this client has no groups'));
}
