import type { StoredPartitionLog } from './stored-partition.js';
import type { PendingImport, TopicImports } from './topic-imports.js';

/** Opens a partition of a topic that is not there yet. */
export type OpenImportedLog = (topic: string, partition: number) => StoredPartitionLog;

/** Topics on their way into a store. Nobody sees them before {@link commit}. */
export class TopicImport {
  readonly #pending: PendingImport;
  readonly #imports: TopicImports;
  readonly #openLog: OpenImportedLog;
  readonly #logs = new Map<string, StoredPartitionLog>();

  constructor(pending: PendingImport, imports: TopicImports, openLog: OpenImportedLog) {
    this.#pending = pending;
    this.#imports = imports;
    this.#openLog = openLog;
  }

  partitionLog(topic: string, partition: number): StoredPartitionLog {
    const key = `${topic}-${partition}`;
    let log = this.#logs.get(key);
    if (log === undefined) {
      log = this.#openLog(topic, partition);
      this.#logs.set(key, log);
    }
    return log;
  }

  /** The topics are there, and `before` was done. Everything that was appended must be durable. */
  async commit(before?: () => Promise<void>): Promise<void> {
    await this.#closeLogs();
    await this.#imports.commit(this.#pending.importId, before);
  }

  /** Removes them. */
  async abort(): Promise<void> {
    await this.#closeLogs().catch(() => {});
    await this.#imports.abort(this.#pending.importId);
  }

  async #closeLogs(): Promise<void> {
    for (const log of this.#logs.values()) await log.close();
    this.#logs.clear();
  }
}
