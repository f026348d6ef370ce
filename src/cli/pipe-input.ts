import { NonBlockingPipe } from './non-blocking-pipe.js';
import type { PipeReader } from './pipe-reader.js';
import { PipeThread } from './pipe-thread.js';

/** The event loop turns after so much: signals, timers and writes that are done have their turn. */
const TURN_BYTES = 512 * 1024;

/** Who works through so much so soon would spend a fourth of the time on reading, and gets a thread for that. */
const FAST_BYTES = 4 * 1024 * 1024;
const FAST_MS = 30;

/**
 * Takes over `own`, which reads a pipe without waiting and is closed at the end. When `signal` aborts nothing more is
 * read; what was read is still handed out, since nobody else can have it any more. Each chunk is valid until the next
 * one is asked for.
 */
export async function* readNonBlocking(
  own: number,
  signal: AbortSignal | undefined,
  fastMs = FAST_MS,
): AsyncGenerator<Uint8Array> {
  let reader: PipeReader = new NonBlockingPipe(own);
  let thread: PipeThread | undefined;
  const handOver = () => {
    if (reader.isOver) return;
    reader.stop();
    thread!.begin();
  };
  const onAbort = () => {
    reader.stop();
    thread?.stop();
  };
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) reader.stop();
  const pace = new Pace(fastMs);
  let sinceTurn = 0;
  try {
    for (;;) {
      const chunk = reader.take();
      if (chunk !== undefined) {
        yield chunk;
        if (pace.hasBecomeFast(chunk.length)) thread = PipeThread.start(own, handOver);
        sinceTurn += chunk.length;
        if (sinceTurn < TURN_BYTES) continue;
        await new Promise((resolve) => setImmediate(resolve));
      } else if (!reader.isOver) {
        await reader.more();
      } else if (thread?.hasBegun && reader !== thread) {
        await reader.close();
        reader = thread;
      } else return;
      sinceTurn = 0;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    reader.stop();
    await reader.close();
    await thread?.close();
  }
}

/** Whether `FAST_BYTES` came within `fastMs`: said once. */
class Pace {
  readonly #fastMs: number;
  #since = performance.now();
  #bytes = 0;
  #isTold = false;

  constructor(fastMs: number) {
    this.#fastMs = fastMs;
  }

  hasBecomeFast(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#isTold || this.#bytes < FAST_BYTES) return false;
    const now = performance.now();
    this.#isTold = now - this.#since < this.#fastMs;
    this.#since = now;
    this.#bytes = 0;
    return this.#isTold;
  }
}
