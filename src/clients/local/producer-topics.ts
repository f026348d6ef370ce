/**
 * The topics that a producer writes to: each is looked up, and perhaps made, at its first record. From then on one call
 * a second tells whether any topic was altered, and only then those that are written to are read again.
 */
import type { KlogError } from '../../errors.js';
import { type Codec, loadCodec } from '../../format/compression.js';
import { createPartitioner } from '../partitioner.js';
import type { ProducerOptions } from '../producer.js';
import type { ClientSeams } from './client-seams.js';
import type { LocalStore, StoredTopic } from './local-store.js';
import type { PartitionSender, SenderContext } from './partition-sender.js';
import { TopicProducer } from './topic-producer.js';

/** Partitions whose ends are looked up at the same time. */
const CONCURRENT_LOOK_UPS = 6;
/** Between two looks for altered topics. Kafka: `metadata.max.age.ms`. */
const LOOK_MS = 1000;
/** Changes so close together may have the same time. */
const SAME_MOMENT_MS = 1000;

export class ProducerTopics {
  readonly #store: LocalStore;
  readonly #options: ProducerOptions;
  readonly #seams: ClientSeams;
  readonly #context: SenderContext;
  readonly #known = new Map<string, TopicProducer>();
  readonly #loading = new Map<string, Promise<TopicProducer>>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Of which everything has been seen. */
  #seenChange: number | undefined;

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

  /** Looks no more for what is altered. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #load(name: string): Promise<TopicProducer> {
    const stored = (await this.#store.topic(name)) ?? (await this.#create(name));
    const codec = await this.#codecFor(stored);
    const partitioner = createPartitioner(this.#options.partitioner ?? 'murmur2', this.#seams.random);
    const ends = stored.partitions === 1 ? [0] : await this.#endOffsets(stored);
    const topic = new TopicProducer(stored, codec, partitioner, ends, this.#context);
    this.#known.set(name, topic);
    // It may have been altered since it was read.
    this.#seenChange = undefined;
    if (this.#timer === undefined) this.#lookLater();
    return topic;
  }

  #lookLater(): void {
    if (this.#isClosed) return;
    // Should a look fail, what is known stands, and the next one finds the same. Writing fails by itself.
    const look = () =>
      this.#look()
        .catch(() => {})
        .finally(() => this.#lookLater());
    this.#timer = setTimeout(look, LOOK_MS).unref();
  }

  async #look(): Promise<void> {
    const change = await this.#store.topics.lastChange();
    if (change === this.#seenChange) return;
    const isOver = this.#seams.now() - change > SAME_MOMENT_MS;
    for (const topic of this.#known.values()) {
      const stored = await this.#store.topic(topic.topic);
      // What was deleted cannot be written to any more, whatever has its name.
      if (stored === undefined || !topic.isAlteredTo(stored)) continue;
      const codec = await this.#codecFor(stored);
      topic.alter(stored, codec, await this.#endOffsets(stored, topic.partitionCount));
    }
    if (isOver) this.#seenChange = change;
  }

  async #codecFor({ compression }: StoredTopic): Promise<Codec | undefined> {
    const type = this.#options.compression ?? compression;
    return type === 'none' ? undefined : await loadCodec(type);
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

  /** Of the partitions from `first` on. */
  async #endOffsets(stored: StoredTopic, first = 0): Promise<number[]> {
    const ends = new Array<number>(stored.partitions - first).fill(0);
    let next = first;
    const lookUp = async (): Promise<void> => {
      while (next < stored.partitions) {
        const partition = next++;
        const reader = await this.#store.partitionReader(stored.topic, partition);
        try {
          ends[partition - first] = (await reader.marks()).logEndOffset;
        } finally {
          await reader.close();
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_LOOK_UPS }, lookUp));
    return ends;
  }
}
