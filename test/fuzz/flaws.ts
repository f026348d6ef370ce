/** Errors planted in klog which the fuzzer must find, each by the target that meets it. */
import type { Flaw } from '../support/plant-flaws.js';

export interface PlantedFlaw {
  readonly name: string;
  readonly flaws: readonly Flaw[];
  /** The name of a target. */
  readonly target: string;
}

function change(name: string, file: string, find: string, replace: string): Flaw {
  return { name, model: 'none', file, find, replace };
}

const noOutputCap = [
  change(
    'no cap on decompressed bytes',
    'format/compression/gzip.ts',
    '{ maxOutputLength: Math.max(1, maxBytes), chunkSize: CHUNK_BYTES }',
    '{ chunkSize: CHUNK_BYTES }',
  ),
  change(
    'no cap on decompressed bytes',
    'format/compression/gzip.ts',
    "if (result.length > maxBytes) throw beyondLimit('gzip', maxBytes);",
    '',
  ),
];
const lengthBelieved = change(
  'a length is used before it is checked',
  'format/compression/lz4-frame.ts',
  'if (size > this.#source.length - start) throw',
  'if (size < 0) throw',
);
const endlessWalk = change(
  'a length of zero leads nowhere',
  'format/batch-walk.ts',
  `  if (batchLength < MINIMUM_BATCH_LENGTH) {`,
  `  if (batchLength === 0) {
    result.status = 'batch';
    result.size = 0;
    return result;
  }
  if (batchLength < MINIMUM_BATCH_LENGTH) {`,
);
const noChecksum = change(
  'no CRC check',
  'format/record-batch.ts',
  'return size >= RECORD_BATCH_OVERHEAD && this.crc === this.#computeCrc(size);',
  'return size >= RECORD_BATCH_OVERHEAD || this.crc === this.#computeCrc(size);',
);
const claimedMemory = change(
  'memory for whatever a length says',
  'archive/section-reader.ts',
  'let buffer = Buffer.allocUnsafe(Math.min(length, FIRST_READ));',
  'let buffer: Buffer = Buffer.alloc(length, 1);',
);
const quadratic = change(
  'all that has come is gone through again for each piece',
  'cli/record-format/json-record-input.ts',
  'const end = this.#scanner.scan(input.bytes, input.position, input.length);',
  `this.#scanner.reset();
      const end = this.#scanner.scan(input.bytes, input.start, input.length);`,
);
const anyEngine = change(
  'an engine that tries everything',
  'cli/record-format/linear-regexp.ts',
  '  checkSyntax(body, flags, source, what);',
  `  checkSyntax(body, flags, source, what);
  if (!flagsSet) return { test: (text) => new RegExp(body, flags).test(text), endOfMatchAt: () => -1 };`,
);
const strangeError = change(
  'an error of another kind',
  'store/topic-file.ts',
  "throw damaged(path, 'it is not JSON', cause);",
  'throw cause;',
);
const endlessSkip = change(
  'a bad row is not passed over',
  'cli/record-format/json-record-input.ts',
  'input.dropTo(end);\n    this.#scanner.reset();\n    return skipped;',
  'this.#scanner.reset();\n    return skipped;',
);

const uncheckedRun = change(
  'the kernel prints offsets that are negative',
  'format/kernel/print-kernel.ts',
  'run.baseOffset < 0 || ',
  '',
);

const mergedOffsets = change(
  'the kernel merges batches whose offsets are negative',
  'format/kernel/print-kernel.ts',
  'run.hasAppendTime || run.baseOffset < 0) return 0;',
  'run.hasAppendTime) return 0;',
);

export const PLANTED: readonly PlantedFlaw[] = [
  { name: 'no-output-cap', flaws: noOutputCap, target: 'codecs' },
  { name: 'length-believed', flaws: [lengthBelieved], target: 'codecs' },
  { name: 'endless-at-zero', flaws: [endlessWalk], target: 'record batches' },
  { name: 'no-crc-check', flaws: [noChecksum], target: 'record batches' },
  { name: 'unbounded-allocation', flaws: [claimedMemory], target: 'archives' },
  { name: 'quadratic-time', flaws: [quadratic], target: 'JSON records' },
  { name: 'endless-backtracking', flaws: [anyEngine], target: 'regular expressions' },
  { name: 'strange-error', flaws: [strangeError], target: 'small files' },
  { name: 'negative-offsets', flaws: [uncheckedRun], target: 'print kernel' },
  { name: 'negative-offsets-merged', flaws: [mergedOffsets], target: 'merge kernel' },
  { name: 'endless-skip', flaws: [endlessSkip], target: 'JSON records' },
];
