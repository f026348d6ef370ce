/** Of what is taken and not begun: as many as may be in flight, so that one slow lane does not hold up the others. */
const LOOKAHEAD_BYTES = 16 * 1024 * 1024;

export interface OrderedWorkOptions<T> {
  /** Items that are worked on at the same time, at most. */
  readonly maxInFlight: number;
  /** Never rejects. */
  readonly work: (item: T) => Promise<void>;
}

interface Item<T> {
  readonly lane: string;
  readonly item: T;
  readonly bytes: number;
}

/** Works on several items at once, but on those of one lane one after the other, in the order they came. */
export class OrderedWork<T> {
  readonly #options: OrderedWorkOptions<T>;
  /** Lanes with an item in flight or ready, and what waits behind it. */
  readonly #lanes = new Map<string, Item<T>[]>();
  /** Everything in flight or waiting. */
  readonly #taken = new Set<T>();
  /** First of their lanes, without a place yet. */
  readonly #ready: Item<T>[] = [];
  #inFlight = 0;
  #waiting = 0;
  #waitingBytes = 0;
  #isCancelled = false;
  #wake: (() => void) | undefined;

  constructor(options: OrderedWorkOptions<T>) {
    this.#options = options;
  }

  /** Takes an item, and resolves when there is room for another. */
  async add(lane: string, item: T, bytes: number): Promise<void> {
    if (this.#isCancelled) return;
    const next = { lane, item, bytes };
    this.#taken.add(item);
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    const behind = this.#lanes.get(lane);
    if (behind === undefined) {
      this.#lanes.set(lane, []);
      this.#ready.push(next);
    } else {
      behind.push(next);
    }
    this.#beginReady();
    while (!this.#hasRoom()) await this.#change();
  }

  /** Resolves when nothing that `matches` (default: nothing at all) is in flight or waiting. */
  async settle(matches: (item: T) => boolean = () => true): Promise<void> {
    while ([...this.#taken].some(matches)) await this.#change();
  }

  /** Forgets what has not begun, and takes no more. */
  cancel(): void {
    this.#isCancelled = true;
    for (const { item } of this.#ready.splice(0)) this.#taken.delete(item);
    for (const behind of this.#lanes.values()) for (const { item } of behind.splice(0)) this.#taken.delete(item);
    this.#waiting = 0;
    this.#waitingBytes = 0;
    this.#changed();
  }

  #hasRoom(): boolean {
    if (this.#isCancelled) return true;
    const { maxInFlight } = this.#options;
    // One after the other: nothing is taken ahead.
    if (maxInFlight === 1) return this.#inFlight === 0;
    if (this.#waiting === 0) return true;
    return this.#waiting < maxInFlight && this.#waitingBytes < LOOKAHEAD_BYTES;
  }

  #beginReady(): void {
    while (this.#inFlight < this.#options.maxInFlight) {
      const next = this.#ready.shift();
      if (next === undefined) return;
      this.#waiting -= 1;
      this.#waitingBytes -= next.bytes;
      this.#inFlight += 1;
      void this.#workOn(next);
    }
  }

  async #workOn({ lane, item }: Item<T>): Promise<void> {
    await this.#options.work(item);
    this.#inFlight -= 1;
    this.#taken.delete(item);
    const next = this.#lanes.get(lane)?.shift();
    if (next === undefined) this.#lanes.delete(lane);
    else this.#ready.push(next);
    this.#beginReady();
    this.#changed();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#wake;
      this.#wake = () => {
        before?.();
        resolve();
      };
    });
  }

  #changed(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
