import type { CliContext } from '../cli-context.js';
import type { Loudness } from '../notices.js';
import { Progress } from '../progress.js';

/** Records so far and how fast, on a terminal's standard error, while `work` goes on. */
export async function withRecordProgress<T>(
  verb: string,
  loudness: Loudness,
  context: Pick<CliContext, 'stderr'>,
  work: (tally: { records: number }) => Promise<T>,
): Promise<T> {
  const tally = { records: 0 };
  const start = performance.now();
  const progress = new Progress(loudness, context, () => {
    const rate = Math.round((tally.records * 1000) / Math.max(1, performance.now() - start));
    return `${verb} ${tally.records} records (${rate} records/s)`;
  });
  try {
    return await work(tally);
  } finally {
    progress.stop();
  }
}
