import { openClient } from '../../../src/clients/local/open-client.js';
import type { ProducerRecord } from '../../../src/clients/producer.js';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { type FakeOptions, type RunResult, run } from './fake-context.js';

/** A log in a directory of its own, and command lines run on it. */
export class RealLog {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async createTopic(topic: string, partitions = 1, configs: Record<string, string> = {}): Promise<void> {
    const client = await openClient({ directory: this.directory, create: true });
    await client.admin().createTopic({ topic, partitions, configs });
    await client.close();
  }

  /** In order: record i is written before record i + 1. */
  async produce(records: readonly ProducerRecord[]): Promise<void> {
    const client = await openClient({ directory: this.directory, create: true });
    const producer = client.producer({ createTopics: true });
    for (const record of records) await producer.send(record);
    await client.close();
  }

  async run(line: string | readonly string[], options: FakeOptions = {}): Promise<RunResult> {
    const client = await openClient({ directory: this.directory, create: true });
    try {
      return await run(line, { ...options, client, env: { KLOG_DIR: this.directory, ...options.env } });
    } finally {
      await client.close();
    }
  }
}

export function withLog<T>(use: (log: RealLog) => Promise<T>): Promise<T> {
  return inTemporaryDirectory((directory) => use(new RealLog(`${directory}/.klog`)));
}

/** Values v0, v1, … of one topic, a second apart, in turn over its partitions. */
export function numbered(topic: string, count: number, partitions = 1): ProducerRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    topic,
    key: `k${i}`,
    value: `v${i}`,
    partition: i % partitions,
    timestamp: 1_700_000_000_000 + i * 1000,
  }));
}
