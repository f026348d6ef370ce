import { KlogError } from '../../errors.js';
import type { Admin } from '../admin.js';
import type { Client } from '../client.js';
import type { Consumer, ConsumerOptions } from '../consumer.js';
import type { Producer, ProducerOptions } from '../producer.js';
import type { ClientSeams } from './client-seams.js';
import { LocalAdmin } from './local-admin.js';
import { LocalConsumer } from './local-consumer.js';
import { LocalProducer } from './local-producer.js';
import type { LocalStore } from './local-store.js';

/** Topics in a directory. */
export class LocalClient implements Client {
  readonly warnings: readonly string[];
  readonly #store: LocalStore;
  readonly #seams: ClientSeams;
  readonly #producers = new Set<Producer>();
  readonly #consumers = new Set<Consumer>();
  #closing: Promise<void> | undefined;

  /** The client closes the store. */
  constructor(store: LocalStore, seams: ClientSeams, warnings: readonly string[] = []) {
    this.#store = store;
    this.#seams = seams;
    this.warnings = warnings;
  }

  producer(options: ProducerOptions = {}): Producer {
    this.#mustBeOpen();
    const producer = new LocalProducer(this.#store, options, this.#seams, () => this.#producers.delete(producer));
    this.#producers.add(producer);
    return producer;
  }

  consumer(options: ConsumerOptions): Consumer {
    this.#mustBeOpen();
    const consumer = new LocalConsumer(this.#store, options, this.#seams, () => this.#consumers.delete(consumer));
    this.#consumers.add(consumer);
    return consumer;
  }

  admin(): Admin {
    this.#mustBeOpen();
    return new LocalAdmin(this.#store);
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
    const open = [...this.#consumers, ...this.#producers];
    const outcomes = await Promise.allSettled(open.map((one) => one[Symbol.asyncDispose]()));
    await this.#store.close();
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new KlogError('KLOG_CLOSED', 'the client is closed');
  }
}
