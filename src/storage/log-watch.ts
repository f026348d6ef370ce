/**
 * Wakes a follower. `fs.watch` on `klog.end` reports each publish within a fraction of a millisecond; behind it runs a slow
 * poll, since an event may be missing (and a process that was killed causes none). Where nothing can be watched the poll is
 * a quick one. An event says "look again", nothing more.
 */
import type { FileSystem } from './file-system.js';

const SLOW_POLL_MS = 1000;
const QUICK_POLL_MS = 25;

export class LogWatch {
  readonly #watcher: { close(): void } | undefined;
  #seen = false;
  #wake: (() => void) | undefined;

  constructor(fs: FileSystem, path: string) {
    this.#watcher = fs.watch(path, () => {
      this.#seen = true;
      this.#wake?.();
    });
  }

  /** False: wake-ups come from the quick poll. */
  get isWatching(): boolean {
    return this.#watcher !== undefined;
  }

  /** Resolves at the next event, at the poll, after `mostMs`, or when `signal` is aborted. An event since the last call counts. */
  async wait(mostMs: number, signal?: AbortSignal): Promise<void> {
    if (!this.#seen && signal?.aborted !== true && mostMs > 0) {
      const poll = this.isWatching ? SLOW_POLL_MS : QUICK_POLL_MS;
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, Math.min(poll, mostMs));
        signal?.addEventListener('abort', done);
        this.#wake = done;
      });
      this.#wake = undefined;
    }
    this.#seen = false;
  }

  close(): void {
    this.#watcher?.close();
  }
}
