/** Bytes of `.log` files as partitions that the kernel merges by time, held against the cursors. */

import { MergeCursor } from '../../../src/clients/local/merge-cursor.js';
import { nextBatch } from '../../../src/format/batch-walk.js';
import { COMPRESSION_TYPES, loadCodec } from '../../../src/format/compression.js';
import { PrintKernel, type PrintTemplate } from '../../../src/format/kernel/print-kernel.js';
import { openCursor } from '../../../src/format/record-cursor.js';
import { KlogError } from '../../../src/index.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateLog } from '../mutate-log.js';
import { logSeeds } from './record-batches.js';

const MAX_DECOMPRESSED_BYTES = 1024 * 1024;
const OFFSETS_AND_VALUES: PrintTemplate = { parts: ['offset', Buffer.from(' '), 'value', Buffer.from('\n')] };
const MOST_BYTES = 64 * 1024;
const MOST_RECORDS = 500;

export async function mergeKernel(): Promise<FuzzTarget> {
  for (const type of COMPRESSION_TYPES) await loadCodec(type);
  const logs = logSeeds();
  const kernel = new PrintKernel();
  return {
    name: 'merge kernel',
    weight: 60,
    run(random) {
      const partitions = Array.from({ length: random.chance(0.5) ? 2 : 3 }, () => mutateLog(random.pick(logs), random));
      const whole = partitions.filter((log) => nextBatch(log, 0, log.length).status === 'batch');
      const byKernel = run(whole, kernel);
      const byCursors = run(whole, undefined);
      // The kernel looks less far ahead: it may print more of what comes before damage, and meet another damage first.
      const isEarlier = byCursors.error !== '' && byKernel.text.startsWith(byCursors.text);
      if (isEarlier && (byKernel.error !== '' || byKernel.isCutOff)) return;
      if (byKernel.text === byCursors.text && byKernel.error === byCursors.error) return;
      throw new Error(`the kernel merged ${JSON.stringify(byKernel)}, the cursors ${JSON.stringify(byCursors)}`);
    },
  };
}

/**
 * Offsets and values of the first batches by time, of equal times those of the first partition first; and how it ends.
 */
function run(partitions: readonly Buffer[], kernel: PrintKernel | undefined) {
  let text = '';
  let records = 0;
  try {
    let left = partitions.map((log) => {
      const options = { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES };
      return openCursor(new MergeCursor(), log, 0, options) as MergeCursor;
    });
    for (; records < MOST_RECORDS; records++) {
      if (kernel !== undefined && records > 0) {
        for (const cursor of left) cursor.unpeek();
        records += kernel.merge(left, OFFSETS_AND_VALUES, 0, MOST_RECORDS - records - 1, MOST_BYTES);
        text += kernel.output.toString('latin1', 0, kernel.length);
      }
      left = left.filter((cursor) => cursor.peek());
      if (left.length === 0) break;
      const first = left.reduce((least, cursor) => (cursor.timestamp < least.timestamp ? cursor : least));
      first.next();
      const value = first.valueStart < 0 ? '' : first.buffer.toString('latin1', first.valueStart, first.valueEnd);
      text += `${first.offset} ${value}\n`;
    }
  } catch (error) {
    if (!(error instanceof KlogError)) throw error;
    return { text, error: error.message, isCutOff: false };
  }
  return { text, error: '', isCutOff: records >= MOST_RECORDS };
}
