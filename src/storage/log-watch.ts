/**
 * Wakes followers. `fs.watch` on `klog.end` reports each publish within a fraction of a millisecond; behind it runs a
 * slow poll, since an event may be missing (and a process that was killed causes none). Where nothing can be watched
 * the poll is a quick one. An event says "look again", nothing more.
 */
import type { FileSystem } from './file-system.js';

const SLOW_POLL_MS = 1000;
const QUICK_POLL_MS = 25;

export class LogWatch {
  readonly #watcher: { close(): void } | undefined;
  readonly #waiting = new Set<() => void>();
  #events = 0;

  constructor(fs: FileSystem, path: string) {
    this.#watcher = fs.watch(path, () => {
      this.#events++;
      for (const wake of [...this.#waiting]) wake();
    });
  }

  /** False: wake-ups come from the quick poll. */
  get isWatching(): boolean {
    return this.#watcher !== undefined;
  }

  /** How many there were. Taken before a look, and given to {@link wait}, so that none is missed in between. */
  get events(): number {
    return this.#events;
  }

  /**
   * Resolves at once if there were events beyond `seen`, at the next one, at the poll, after `mostMs`, or when `signal`
   * is aborted.
   */
  async wait(seen: number, mostMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#events > seen || signal?.aborted === true || mostMs <= 0) return;
    const poll = this.isWatching ? SLOW_POLL_MS : QUICK_POLL_MS;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(poll, mostMs));
      signal?.addEventListener('abort', done);
      this.#waiting.add(done);
    });
  }

  close(): void {
    this.#watcher?.close();
    for (const wake of [...this.#waiting]) wake();
  }
}
