/** A moment at which time is up, for what waits by signals and for what waits by milliseconds. */
export class Deadline implements Disposable {
  readonly timeoutMs: number;
  readonly #startedAt = performance.now();
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;

  /** Infinity: never. */
  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    // Longer than a timer can be set to is as good as never.
    this.#timer = setTimeout(() => this.#controller.abort(), Math.min(timeoutMs, 2 ** 31 - 1));
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  get leftMs(): number {
    return Math.max(0, this.timeoutMs - this.elapsedMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
