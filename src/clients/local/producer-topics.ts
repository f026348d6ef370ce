/** The topics that a producer writes to: each is looked up, and perhaps made, at its first record. */
import type { KlogError } from '../../errors.js';
import { loadCodec } from '../../format/compression.js';
import { createPartitioner } from '../partitioner.js';
import type { ProducerOptions } from '../producer.js';
import type { ClientSeams } from './client-seams.js';
import type { LocalStore, StoredTopic } from './local-store.js';
import type { PartitionSender, SenderContext } from './partition-sender.js';
import { TopicProducer } from './topic-producer.js';

/** Partitions whose ends are looked up at the same time. */
const CONCURRENT_LOOK_UPS = 6;

export class ProducerTopics {
  readonly #store: LocalStore;
  readonly #options: ProducerOptions;
  readonly #seams: ClientSeams;
  readonly #context: SenderContext;
  readonly #known = new Map<string, TopicProducer>();
  readonly #loading = new Map<string, Promise<TopicProducer>>();

  constructor(store: LocalStore, options: ProducerOptions, seams: ClientSeams, context: SenderContext) {
    this.#store = store;
    this.#options = options;
    this.#seams = seams;
    this.#context = context;
  }

  /** Undefined: nothing was written to it yet; {@link load} it. */
  get(name: string): TopicProducer | undefined {
    return this.#known.get(name);
  }

  load(name: string): Promise<TopicProducer> {
    let loading = this.#loading.get(name);
    if (loading === undefined) {
      loading = this.#load(name);
      this.#loading.set(name, loading);
      // A topic that could not be loaded may be there the next time.
      loading.catch(() => this.#loading.delete(name));
    }
    return loading;
  }

  /** Of all partitions that were written to. */
  senders(): PartitionSender[] {
    return [...this.#known.values()].flatMap((topic) => topic.senders());
  }

  async #load(name: string): Promise<TopicProducer> {
    const stored = (await this.#store.topic(name)) ?? (await this.#create(name));
    const type = this.#options.compression ?? stored.compression;
    const codec = type === 'none' ? undefined : await loadCodec(type);
    const partitioner = createPartitioner(this.#options.partitioner ?? 'murmur2', this.#seams.random);
    const ends = stored.partitions === 1 ? [0] : await this.#endOffsets(stored);
    const topic = new TopicProducer(stored, codec, partitioner, ends, this.#context);
    this.#known.set(name, topic);
    return topic;
  }

  async #create(name: string): Promise<StoredTopic> {
    if (this.#options.createTopics === true) {
      try {
        await this.#store.topics.create({ topic: name });
      } catch (error) {
        // Somebody else was quicker.
        if ((error as KlogError).code !== 'TOPIC_ALREADY_EXISTS') throw error;
      }
    }
    // Fails, with the name that was perhaps meant.
    await this.#store.topics.get(name);
    return (await this.#store.topic(name))!;
  }

  async #endOffsets(stored: StoredTopic): Promise<number[]> {
    const ends = new Array<number>(stored.partitions).fill(0);
    let next = 0;
    const lookUp = async (): Promise<void> => {
      while (next < stored.partitions) {
        const partition = next++;
        const reader = await this.#store.partitionReader(stored.topic, partition);
        try {
          ends[partition] = (await reader.marks()).logEndOffset;
        } finally {
          await reader.close();
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_LOOK_UPS }, lookUp));
    return ends;
  }
}
