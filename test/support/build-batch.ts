import type { Codec } from '../../src/format/compression.js';
import { RecordBatchBuilder, type RecordBatchFields } from '../../src/format/record-batch-builder.js';

/** A batch of keyless records with these texts as values; `timestamps` beside them, or 1000 for all. */
export function buildBatch(
  texts: readonly string[],
  fields: RecordBatchFields & { readonly timestamps?: readonly number[]; readonly codec?: Codec } = {},
): Uint8Array {
  const { timestamps, codec, ...rest } = fields;
  const builder = new RecordBatchBuilder({ codec });
  texts.forEach((text, i) => {
    const value = Buffer.from(text);
    builder.appendValue(value, 0, value.length, timestamps?.[i] ?? 1000);
  });
  return builder.build(rest);
}
