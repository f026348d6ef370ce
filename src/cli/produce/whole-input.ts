import type { ByteCarry } from './byte-carry.js';
import type { LineSink } from './delimited-lines.js';

/** How much is read before anybody asks how much there may be. */
const UNASKED_BYTES = 1024 * 1024;

export interface WholeInputRun {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly carry: ByteCarry;
  readonly sink: LineSink;
  /** `max.message.bytes`: asked for when the input gets long. */
  readonly maxBytes: () => Promise<number>;
  readonly signal: AbortSignal;
}

/** The whole of an input is one record, an empty input, too: `--file`. */
export async function produceWhole(run: WholeInputRun): Promise<void> {
  const { carry, sink } = run;
  let limit = Number.POSITIVE_INFINITY;
  let droppedBytes = 0;
  for await (const chunk of run.chunks) {
    carry.append(chunk, 0, chunk.length);
    if (carry.length > UNASKED_BYTES && limit === Number.POSITIVE_INFINITY) limit = await run.maxBytes();
    if (droppedBytes === 0 && carry.length <= limit) continue;
    // Read on to tell its size, without keeping it.
    sink.tooLongPart(carry.bytes, 0, carry.length, limit);
    droppedBytes += carry.length;
    carry.clear();
  }
  if (run.signal.aborted) return;
  if (droppedBytes > 0) sink.tooLong(droppedBytes, limit);
  else if (!sink.line(carry.bytes, 0, carry.length)) await sink.ready();
  carry.clear();
}
