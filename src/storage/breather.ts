/** Lets other tasks of the process have their turn while a long one goes on in the background. */
const LONGEST_TURN_MS = 4;

export class Breather {
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  constructor(signal?: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Throws the signal's reason when it is aborted. */
  async breathe(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#since < LONGEST_TURN_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}
