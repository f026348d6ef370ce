/** Bytes of `.log` files through the kernel that prints records, held against the cursor. */
import { nextBatch } from '../../../src/format/batch-walk.js';
import { COMPRESSION_TYPES, loadCodec } from '../../../src/format/compression.js';
import { PrintKernel, type PrintTemplate } from '../../../src/format/kernel/print-kernel.js';
import { openCursor, RecordCursor } from '../../../src/format/record-cursor.js';
import { KlogError } from '../../../src/index.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateLog } from '../mutate-log.js';
import { logSeeds } from './record-batches.js';

const MAX_DECOMPRESSED_BYTES = 1024 * 1024;
const OFFSETS_AND_VALUES: PrintTemplate = { parts: ['offset', Buffer.from(' '), 'value', Buffer.from('\n')] };
/** Behind what has been compared: the memory of the kernel has an end. */
const MOST_BYTES = 64 * 1024;

export async function printKernel(): Promise<FuzzTarget> {
  for (const type of COMPRESSION_TYPES) await loadCodec(type);
  const logs = logSeeds();
  const kernel = new PrintKernel();
  const [byKernel, byCursor] = [new RecordCursor(), new RecordCursor()];
  return {
    name: 'print kernel',
    weight: 100,
    run(random) {
      const log = mutateLog(random.pick(logs), random);
      let position = 0;
      for (;;) {
        const { status, size } = nextBatch(log, position, log.length);
        if (status !== 'batch') return;
        const printed = run(byKernel, log, position, kernel);
        const expected = run(byCursor, log, position, undefined);
        if (printed !== expected) throw new Error(`the kernel printed ${printed}, the cursor ${expected}`);
        position += size;
      }
    },
  };
}

/** Offsets and values, and how it ends. */
function run(cursor: RecordCursor, log: Buffer, position: number, kernel: PrintKernel | undefined): string {
  let printed = '';
  try {
    openCursor(cursor, log, position, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES });
    while (printed.length < MOST_BYTES) {
      if (kernel !== undefined && kernel.print(cursor, OFFSETS_AND_VALUES, 0, 100, MOST_BYTES) > 0) {
        printed += kernel.output.toString('latin1', 0, kernel.length);
        continue;
      }
      if (!cursor.next()) return printed;
      const value = cursor.valueStart < 0 ? '' : cursor.buffer.toString('latin1', cursor.valueStart, cursor.valueEnd);
      printed += `${cursor.offset} ${value}\n`;
    }
    return printed.slice(0, MOST_BYTES);
  } catch (error) {
    if (error instanceof KlogError) return `${printed.slice(0, MOST_BYTES)}${error.message}`;
    throw error;
  }
}
