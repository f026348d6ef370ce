import type { DelimitedLines, LineSink } from './delimited-lines.js';
import { withPlace } from './record-target.js';

export interface LinesRun {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly lines: DelimitedLines;
  readonly sink: LineSink;
  /** Told the time once for each chunk. */
  readonly setTime: () => void;
  /** `max.message.bytes`: asked for when a line gets long. */
  readonly maxLineBytes: () => Promise<number>;
  /** The file's name in errors; undefined for standard input. */
  readonly file: string | undefined;
  /** `--rate`: see {@link produceLines}. */
  readonly isPaced: boolean;
  readonly signal: AbortSignal;
}

/** A line is given this much before anybody asks how much it may have. */
const UNASKED_BYTES = 1024 * 1024;

/**
 * Every line of the input goes to the sink. After an abort what was read still does, except for the line under way,
 * which may be cut, and, where lines are paced, all whose time has not come. Answers the bytes left out.
 */
export async function produceLines(run: LinesRun): Promise<number> {
  const { lines, sink, signal, isPaced } = run;
  let leftOut = 0;
  try {
    for await (const bytes of run.chunks) {
      if (isPaced && signal.aborted) {
        leftOut += bytes.length;
        continue;
      }
      const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      run.setTime();
      let position = lines.scan(chunk, 0);
      while (lines.isFull) {
        await sink.ready();
        if (isPaced && signal.aborted) {
          leftOut = chunk.length - position;
          break;
        }
        run.setTime();
        position = position < chunk.length ? lines.scan(chunk, position) : endOfChunk(lines, position);
      }
      if (lines.unfinishedBytes > UNASKED_BYTES && lines.maxLineBytes === Number.POSITIVE_INFINITY) {
        lines.maxLineBytes = await run.maxLineBytes();
      }
    }
    if (signal.aborted) return leftOut + lines.unfinishedBytes;
    run.setTime();
    lines.end();
    if (lines.isFull) await sink.ready();
    return 0;
  } catch (error) {
    throw withPlace(error, { line: lines.lineNumber, byte: lines.lineOffset, file: run.file });
  }
}

function endOfChunk(lines: DelimitedLines, position: number): number {
  lines.isFull = false;
  return position;
}
