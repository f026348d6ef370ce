import type { Output } from '../output.js';

/** Hands chunks on after copying them to the output: `-T`. That its reader went away is no reason to stop. */
export async function* teeChunks(chunks: AsyncIterable<Uint8Array>, output: Output): AsyncGenerator<Uint8Array> {
  output.isImmediate = true;
  for await (const chunk of chunks) {
    if (!output.isClosed) {
      output.append(chunk, 0, chunk.length);
      if (!output.endRecord()) await output.drain();
    }
    yield chunk;
  }
}
