/**
 * Lets this process be stopped (Ctrl-Z) at a moment when it holds no lock that others wait for: a stopped process keeps
 * its locks, and everybody else would have to wait for it.
 *
 * Whatever takes the locks of a partition runs through the gate as a whole. Closing it keeps newcomers waiting and lets
 * those inside finish, so what runs inside must not go through it again (see {@link LockGate.runPerhapsInside}).
 */
export class LockGate {
  #inside = 0;
  #onEmpty: (() => void) | undefined;
  #opening: Promise<void> | undefined;
  #letIn: (() => void) | undefined;

  async run<T>(work: () => Promise<T>): Promise<T> {
    while (this.#opening !== undefined) await this.#opening;
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** For work that others inside may be waiting for: it waits only while nobody is inside. */
  async runPerhapsInside<T>(work: () => Promise<T>): Promise<T> {
    while (this.#opening !== undefined && this.#inside === 0) await this.#opening;
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Resolves when nobody is inside, or it was opened again. Until {@link open} nobody comes in. */
  async close(): Promise<void> {
    this.#opening ??= new Promise((resolve) => {
      this.#letIn = resolve;
    });
    if (this.#inside === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  open(): void {
    this.#onEmpty?.();
    this.#onEmpty = undefined;
    this.#opening = undefined;
    this.#letIn?.();
  }

  #leave(): void {
    this.#inside--;
    if (this.#inside === 0) this.#onEmpty?.();
  }
}

/** That of this process: a signal stops all of it at once. */
export const lockGate = new LockGate();
