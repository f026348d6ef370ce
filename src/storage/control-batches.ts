/** What the batches of a log say about transactions: feeds a {@link TransactionTracker} from a scan. */
import { KlogError } from '../errors.js';
import { loadCodec } from '../format/compression.js';
import { type ControlRecordType, controlRecordType } from '../format/control-record.js';
import { NO_PRODUCER_ID } from '../format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../format/record-cursor.js';
import type { BatchScanner } from './batch-scanner.js';
import type { AbortedTransaction } from './transaction-index.js';
import type { TransactionTracker } from './transaction-tracker.js';

/**
 * Takes note of the batch that the scanner stands at, whose CRC is right. Returns the entry for the transaction index
 * if the batch is a marker that aborted something.
 */
export async function trackBatch(
  tracker: TransactionTracker,
  scanner: BatchScanner,
): Promise<AbortedTransaction | undefined> {
  const { batch } = scanner;
  if (!batch.isTransactional) return undefined;
  const { producerId } = batch;
  if (producerId === NO_PRODUCER_ID) return undefined;
  if (!batch.isControl) {
    tracker.addData(producerId, scanner.baseOffset);
    return undefined;
  }
  const { baseOffset } = scanner;
  const type = typeOfControlBatch(await bytesToDecode(scanner));
  if (type !== 'ABORT' && type !== 'COMMIT') return undefined;
  return tracker.addMarker(producerId, baseOffset, type === 'COMMIT');
}

/** The current batch in a buffer of its own, the codec that it needs loaded. */
async function bytesToDecode(scanner: BatchScanner): Promise<Buffer> {
  const bytes = await scanner.readBatch();
  await loadCodecOf(bytes);
  return bytes;
}

/** Of the batch at the beginning of `bytes`. */
export async function loadCodecOf(bytes: Uint8Array): Promise<void> {
  const codec = codecNeeded(bytes, 0);
  if (codec !== undefined) await loadCodec(codec);
}

/** UNKNOWN also for one that was compacted to nothing, or that says nothing that can be understood. */
function typeOfControlBatch(bytes: Uint8Array): ControlRecordType {
  try {
    const cursor = openCursor(new RecordCursor(), bytes, 0);
    if (!cursor.next()) return 'UNKNOWN';
    return controlRecordType(cursor.buffer, cursor.keyStart, cursor.keyEnd);
  } catch (error) {
    if (error instanceof KlogError) return 'UNKNOWN';
    throw error;
  }
}
