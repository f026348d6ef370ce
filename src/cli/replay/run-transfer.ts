import type { ConsumerBatch } from '../../clients/client.js';
import type { RecordWriter } from '../../clients/producer.js';
import { type TransferOptions, transfer } from '../../replay/transfer.js';
import type { CliContext } from '../cli-context.js';
import { withRecordProgress } from '../consume/record-progress.js';
import { counted } from '../listing.js';
import { type Loudness, notice } from '../notices.js';

/**
 * Writes all of them again and makes them durable; what went over before a failure stays, and is told. Answers how
 * many.
 */
export async function runTransfer(
  verb: 'copied' | 'replayed',
  batches: AsyncIterable<ConsumerBatch>,
  writer: RecordWriter,
  transferOptions: TransferOptions,
  loudness: Loudness,
  context: Pick<CliContext, 'stderr'>,
): Promise<number> {
  return withRecordProgress(verb, loudness, context, async (tally) => {
    try {
      await transfer(batches, writer, { ...transferOptions, tally });
    } catch (error) {
      await writer.flush();
      notice(loudness, context, `${verb} ${counted(tally.records, 'record')} before the failure`);
      throw error;
    }
    await writer.flush();
    return tally.records;
  });
}
