import type { Client } from '../../clients/client.js';
import type { Producer } from '../../clients/producer.js';
import { KlogError } from '../../errors.js';
import type { FinalFailure } from '../../handlers/handle-records.js';
import type { HandledRecord } from '../../handlers/handler.js';
import { withErrorHeaders } from '../../replay/error-headers.js';
import type { CliContext } from '../cli-context.js';
import { type Loudness, notice } from '../notices.js';

/** The topic of the records that failed for good. Made, with one partition, for the first of them. */
export class DeadLetters {
  readonly #client: Client;
  readonly #topic: string;
  readonly #notify: (text: string) => void;
  #producer: Promise<Producer> | undefined;

  constructor(client: Client, topic: string, loudness: Loudness, context: Pick<CliContext, 'stderr'>) {
    this.#client = client;
    this.#topic = topic;
    this.#notify = (text) => notice(loudness, context, text);
  }

  /**
   * Resolves when the record is durable there: key, value, headers and timestamp as they were, the error behind them.
   * Only then may it count as done: so it is never lost, and comes there a second time if klog dies between this and
   * the commit.
   */
  async add(record: HandledRecord, { reason, attempts }: FinalFailure): Promise<void> {
    const { key, value, timestamp } = record;
    this.#producer ??= this.#open();
    const producer = await this.#producer;
    const headers = withErrorHeaders(record.headers, { ...record, code: 'KLOG_HANDLER_FAILED', reason, attempts });
    const time = timestamp < 0 ? {} : { timestamp };
    await producer.send({ topic: this.#topic, key, value, headers, ...time });
  }

  async close(): Promise<void> {
    // Whoever wanted to add something was told why there is none.
    const producer = await this.#producer?.catch(() => undefined);
    await producer?.close();
  }

  async #open(): Promise<Producer> {
    try {
      await this.#client.admin().createTopic({ topic: this.#topic });
      this.#notify(`created topic '${this.#topic}' with 1 partition`);
    } catch (error) {
      if (!(error instanceof KlogError) || error.code !== 'TOPIC_ALREADY_EXISTS') throw error;
    }
    return this.#client.producer({ lingerMs: 0 });
  }
}
