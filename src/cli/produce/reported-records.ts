/**
 * `--report`: a line for each record that is as safe as it was asked to be, in the order of the input. Records are sent
 * one by one for that, so that each one's fate is known.
 */
import type { Acknowledgement, Producer, RecordMetadata } from '../../clients/producer.js';
import type { RecordHeader } from '../../format/log-record.js';
import { RECORD_BATCH_OVERHEAD } from '../../format/record-batch.js';
import { RecordBatchBuilder } from '../../format/record-batch-builder.js';
import { openCursor, RecordCursor } from '../../format/record-cursor.js';
import type { Output } from '../output.js';
import { emptyContext } from '../record-format/format-context.js';
import { OutputBuffer } from '../record-format/output-buffer.js';
import type { RecordPrinter } from '../record-format/record-printer.js';
import { isBadRecord, type RecordTarget } from './record-target.js';

/** Records waiting for their acknowledgement, at most; the producer's own buffer holds more. */
const MAX_PENDING_RECORDS = 10_000;
const MAX_PENDING_BYTES = 1024 * 1024;

interface PendingRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly bytes: number;
  metadata: RecordMetadata | undefined;
  hasFailed: boolean;
}

/** Prints reports, all topics of a run in one order. */
export class RecordReports {
  readonly #printer: RecordPrinter;
  readonly #output: Output;
  readonly #onStored: (run: Acknowledgement) => void;
  readonly #onFailed: () => void;
  readonly #pending: PendingRecord[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #out = new OutputBuffer();
  readonly #builder = new RecordBatchBuilder();
  readonly #cursor = new RecordCursor();
  readonly #context = emptyContext();
  #pendingBytes = 0;
  #failure: unknown;

  /** `onFailed`: nothing more can be stored. */
  constructor(printer: RecordPrinter, output: Output, onStored: (run: Acknowledgement) => void, onFailed: () => void) {
    this.#printer = printer;
    this.#output = output;
    this.#onStored = onStored;
    this.#onFailed = onFailed;
    printer.begin?.(this.#out);
  }

  /** Where records of a topic go that are to be reported. */
  target(topic: string, partitionCount: number, producer: Producer): RecordTarget {
    return new ReportedTarget(topic, partitionCount, producer, this);
  }

  /** `partitionCount`: of its topic. */
  add(record: PendingRecord, sent: Promise<RecordMetadata>, partitionCount: number): void {
    this.#pending.push(record);
    this.#pendingBytes += record.bytes;
    const settled = sent.then(
      (metadata) => {
        record.metadata = metadata;
      },
      (error: unknown) => {
        record.hasFailed = true;
        // At once, whatever is before it: whoever waits in `ready` just gave this record.
        this.#failure ??= error;
        if (!isBadRecord(error, partitionCount)) this.#onFailed();
      },
    );
    void settled.then(() => this.#print());
  }

  /** Waits for room, and long enough to hear of a record that was refused: its error is thrown. */
  async ready(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#pending.length > MAX_PENDING_RECORDS || this.#pendingBytes > MAX_PENDING_BYTES) await this.#progress();
    if (!this.#output.isClosed) await this.#output.drain();
    this.#throwFailure();
  }

  /** Every report is out, but for records that failed: then the first one's error is thrown. */
  async finish(): Promise<void> {
    while (this.#pending.length > 0) await this.#progress();
    await this.#output.flush();
    this.#throwFailure();
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  /** Prints what is settled at the head of the line. */
  #print(): void {
    const pending = this.#pending;
    let done = 0;
    for (; done < pending.length; done++) {
      const record = pending[done]!;
      if (record.metadata !== undefined) this.#printOne(record, record.metadata);
      else if (!record.hasFailed) break;
      this.#pendingBytes -= record.bytes;
    }
    if (done === 0) return;
    pending.splice(0, done);
    this.#output.append(this.#out.buffer, 0, this.#out.length);
    this.#output.endRecord();
    this.#out.clear();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #printOne(record: PendingRecord, metadata: RecordMetadata): void {
    const { topic, partition, offset, timestamp } = metadata;
    const builder = this.#builder;
    const { key, value, headers } = record;
    builder.reset();
    builder.append(key, 0, key?.length ?? -1, value, 0, value?.length ?? -1, timestamp, [...headers]);
    const bytes = builder.sizeInBytes - RECORD_BATCH_OVERHEAD;
    openCursor(this.#cursor, builder.build({ baseOffset: offset }), 0);
    this.#cursor.next();
    const context = this.#context;
    context.topic = topic;
    context.partition = partition;
    context.recordNumber++;
    const out = this.#out;
    const before = out.length;
    this.#printer.print(this.#cursor, context, out);
    // A line each, whether or not the format ends it.
    if (out.length === before || out.buffer[out.length - 1] !== 0x0a) out.writeByte(0x0a);
    this.#onStored({ topic, partition, firstOffset: offset, lastOffset: offset, records: 1, bytes });
  }
}

/** Sends records one by one and hands them to the reports. */
class ReportedTarget implements RecordTarget {
  readonly topic: string;
  readonly partitionCount: number;
  readonly #producer: Producer;
  readonly #reports: RecordReports;

  constructor(topic: string, partitionCount: number, producer: Producer, reports: RecordReports) {
    this.topic = topic;
    this.partitionCount = partitionCount;
    this.#producer = producer;
    this.#reports = reports;
  }

  appendValue(buffer: Uint8Array, start: number, end: number, timestamp: number): boolean {
    return this.append(null, -1, -1, buffer, start, end, timestamp, null, -1);
  }

  append(
    keyBuffer: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    valueBuffer: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
    partition: number,
  ): boolean {
    const key = copyOf(keyBuffer, keyStart, keyEnd);
    const value = copyOf(valueBuffer, valueStart, valueEnd);
    const sent = this.#producer.send({
      topic: this.topic,
      key,
      value,
      headers: headers ?? [],
      timestamp,
      ...(partition < 0 ? {} : { partition }),
    });
    const bytes = (key?.length ?? 0) + (value?.length ?? 0);
    const record = { key, value, headers: headers ?? [], bytes, metadata: undefined, hasFailed: false };
    this.#reports.add(record, sent, this.partitionCount);
    // The producer says only later whether it took the record, see RecordReports.ready.
    return false;
  }

  ready(): Promise<void> {
    return this.#reports.ready();
  }
}

function copyOf(buffer: Uint8Array | null, start: number, end: number): Buffer | null {
  return buffer === null ? null : Buffer.from(buffer.subarray(start, end));
}
