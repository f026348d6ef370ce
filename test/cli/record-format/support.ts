import { createRecordPrinter, type PrinterOptions } from '../../../src/cli/record-format/create-printer.js';
import type { FormatContext } from '../../../src/cli/record-format/format-context.js';
import type { InputRecord, RecordReader } from '../../../src/cli/record-format/input-record.js';
import { OutputBuffer } from '../../../src/cli/record-format/output-buffer.js';
import type { RecordHeader, TimestampType } from '../../../src/format/log-record.js';
import { RecordBatchBuilder } from '../../../src/format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../../src/format/record-cursor.js';

export interface TestRecord {
  readonly key?: Uint8Array | string | null;
  readonly value?: Uint8Array | string | null;
  readonly timestamp?: number;
  readonly headers?: readonly (readonly [key: string, value: Uint8Array | string | null])[];
}

export const NOW = 1_700_000_000_000;

export function bytes(of: Uint8Array | string | null | undefined): Buffer | null {
  return of === null || of === undefined ? null : Buffer.from(of as string);
}

/** A cursor before the first of these records. */
export function cursorOver(records: readonly TestRecord[], baseOffset = 0): RecordCursor {
  return openCursor(new RecordCursor(), batchOf(records, baseOffset), 0);
}

export function batchOf(records: readonly TestRecord[], baseOffset: number): Buffer {
  const builder = new RecordBatchBuilder({ initialBytes: 4096 });
  for (const record of records) {
    const key = bytes(record.key);
    const value = bytes(record.value);
    const headers: RecordHeader[] | null =
      record.headers?.map(([name, content]) => ({ key: name, value: bytes(content) })) ?? null;
    builder.append(key, 0, key?.length ?? 0, value, 0, value?.length ?? 0, record.timestamp ?? NOW, headers);
  }
  return Buffer.from(builder.build({ baseOffset }));
}

export function contextOf(overrides: Partial<FormatContext> = {}): FormatContext {
  return {
    topic: 'orders',
    partition: 3,
    leaderEpoch: 7,
    compression: 'zstd',
    producerId: 99,
    producerEpoch: 2,
    isTransactional: true,
    isControl: false,
    logStartOffset: 5,
    lastStableOffset: 50,
    highWatermark: 60,
    recordNumber: 0,
    ...overrides,
  };
}

/** All records, as one Buffer, without what `begin` writes. */
export function printed(
  records: readonly TestRecord[],
  options: Partial<PrinterOptions> = {},
  context: Partial<FormatContext> & { timestampType?: TimestampType; baseOffset?: number } = {},
): Buffer {
  const { timestampType, baseOffset, ...rest } = context;
  const printer = createRecordPrinter({ now: () => NOW, ...options });
  const out = new OutputBuffer(16);
  const cursor = cursorOver(records, baseOffset ?? 0);
  if (timestampType !== undefined) cursor.timestampType = timestampType;
  const count = printer.printBatch(cursor, contextOf(rest), out, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  if (count !== records.length) throw new Error(`${count} of ${records.length} records were printed`);
  return Buffer.from(out.view());
}

export function printedText(record: TestRecord, format: string, options: Partial<PrinterOptions> = {}): string {
  return printed([record], { format, ...options }, { baseOffset: 42 }).toString('latin1');
}

/** What a reader makes of the input, pushed in pieces that end at `cuts`. */
export function readAll(reader: RecordReader, input: Uint8Array | string, cuts: readonly number[] = []): InputRecord[] {
  const whole = Buffer.from(input as string);
  const records: InputRecord[] = [];
  const drain = () => {
    for (let record = reader.next(); record !== undefined; record = reader.next()) records.push(copied(record));
  };
  let from = 0;
  for (const cut of [...cuts, whole.length].sort((a, b) => a - b)) {
    reader.push(whole.subarray(from, cut));
    from = cut;
    drain();
  }
  reader.end();
  drain();
  return records;
}

/** Only the fields that the input gave, bytes as latin1 text. */
function copied(record: InputRecord): InputRecord {
  return {
    ...record,
    key: bytes(record.key),
    value: bytes(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: bytes(value) })),
  };
}

/** `{key, value, …}` with bytes as text, for comparing. */
export function shown(record: InputRecord): Record<string, unknown> {
  const text = (of: Uint8Array | null) => (of === null ? null : Buffer.from(of).toString('latin1'));
  const { key, value, headers, ...rest } = record;
  const fields = Object.fromEntries(Object.entries(rest).filter(([, field]) => field !== undefined));
  return {
    ...fields,
    key: text(key),
    value: text(value),
    ...(headers.length === 0 ? {} : { headers: headers.map((header) => [header.key, text(header.value)]) }),
  };
}
