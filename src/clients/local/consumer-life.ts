import { setMaxListeners } from 'node:events';
import { KlogError } from '../../errors.js';
import type { ConsumerOptions } from '../consumer.js';

/**
 * What the lives of all consumers have in common: one begins with the first call that needs it, is iterated once, and
 * ends by the user's signal, at the end of its iteration, or when it is closed.
 */
export class ConsumerLife {
  readonly #usersSignal: AbortSignal | undefined;
  readonly #onClose: (closing: Promise<void>) => void;
  readonly #ending = new AbortController();
  readonly #end = (): void => {
    this.#isEnding = true;
    this.#ending.abort();
  };
  #isEnding = false;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #isIterated = false;

  /** `onClose` is called when closing begins, with its end. */
  constructor(
    { signal, timeoutMs }: Pick<ConsumerOptions, 'signal' | 'timeoutMs'>,
    onClose: (closing: Promise<void>) => void,
  ) {
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new TypeError(`timeoutMs must not be negative: ${timeoutMs}`);
    }
    this.#usersSignal = signal;
    this.#onClose = onClose;
    // Each partition that is waited for listens, and each consumer to a signal that may be for all of them: no leak.
    setMaxListeners(0, this.#ending.signal, ...(signal === undefined ? [] : [signal]));
    if (signal?.aborted) this.#end();
    else signal?.addEventListener('abort', this.#end, { once: true });
  }

  /** Aborts when nothing more is to come. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Whether {@link signal} is aborted, which takes its time to say so. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  end(): void {
    this.#end();
  }

  /** @throws KlogError KLOG_CLOSED */
  beginIteration(): void {
    this.mustBeOpen();
    if (this.#isIterated) throw new TypeError('a consumer is iterated once: make another one');
    this.#isIterated = true;
  }

  /** @throws KlogError KLOG_CLOSED */
  mustBeOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }

  /** Begins, unless it has. Rejects with KLOG_CLOSED if it was closed before. */
  start(begin: () => Promise<void>): Promise<void> {
    if (this.#closing !== undefined && this.#starting === undefined) return Promise.reject(closed());
    this.#starting ??= begin();
    return this.#starting;
  }

  /** `finish` lets go of what there is, once nothing begins any more. */
  close(finish: () => Promise<void>): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#closeNow(finish);
      this.#onClose(this.#closing);
    }
    return this.#closing;
  }

  async #closeNow(finish: () => Promise<void>): Promise<void> {
    this.#end();
    this.#usersSignal?.removeEventListener('abort', this.#end);
    await this.#starting?.catch(() => {});
    await finish();
  }
}

export function closed(): KlogError {
  return new KlogError('KLOG_CLOSED', 'the consumer is closed');
}
