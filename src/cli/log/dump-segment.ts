/**
 * Shows a `.log` batch by batch. Memory is the window of the walk and, for records, one batch.
 *
 * Damage does not end the walk: a batch that cannot be one of this log is shown as such and passed over, if its length is
 * that of a batch and something that looks like a batch, or nothing, lies behind it; or if the batch that follows by its
 * offset is found without the length.
 */
import { dirname } from 'node:path';
import { KlogError } from '../../errors.js';
import { nextBatch } from '../../format/batch-walk.js';
import { loadCodec } from '../../format/compression.js';
import { readInt32 } from '../../format/int64.js';
import {
  BATCH_LENGTH_AT,
  HEADER_SIZE_UP_TO_MAGIC,
  LOG_OVERHEAD,
  MAGIC_AT,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
  RecordBatch,
} from '../../format/record-batch.js';
import { codecNeeded, openCursor, RecordCursor } from '../../format/record-cursor.js';
import { BatchScanner, SEQUENTIAL_WINDOW_BYTES } from '../../storage/batch-scanner.js';
import type { OpenFile } from '../../storage/file-system.js';
import { parseSegmentFileName } from '../../storage/log-files.js';
import { type BatchFields, problemOf, readBatchFields, unreadableBatch } from './batch-fields.js';
import { readControlFields } from './control-fields.js';
import type { DumpFile } from './dump-file.js';
import type { DumpTask } from './dump-task.js';
import { type DurableLimit, isDurable, readDurableLimit } from './durable-limit.js';
import { findBatch } from './find-batch.js';
import { dumpTrailing } from './trailing-bytes.js';

const WRONG_CRC = 'the CRC does not match';

export async function dumpSegment(file: DumpFile, log: OpenFile, task: DumpTask): Promise<void> {
  task.format.begin(file, task.out.buffer);
  const { size } = await log.stat();
  // After the size: everything that is durable by then counts as such.
  const limit = await durableLimitOf(file, task);
  await new SegmentDump(file, log, size, limit, task).run();
}

/** Only segments in use have one. */
async function durableLimitOf(file: DumpFile, task: DumpTask): Promise<DurableLimit | undefined> {
  const segment = parseSegmentFileName(file.name);
  if (segment === undefined || segment.state !== undefined) return undefined;
  return readDurableLimit(task.fs, dirname(file.path));
}

class SegmentDump {
  readonly #file: DumpFile;
  readonly #log: OpenFile;
  readonly #size: number;
  /** Bytes looked at. */
  readonly #end: number;
  readonly #limit: DurableLimit | undefined;
  readonly #task: DumpTask;
  readonly #scanner: BatchScanner;
  readonly #cursor = new RecordCursor();

  constructor(file: DumpFile, log: OpenFile, size: number, limit: DurableLimit | undefined, task: DumpTask) {
    this.#file = file;
    this.#log = log;
    this.#size = size;
    this.#end = Math.min(size, task.maxBytes);
    this.#limit = limit;
    this.#task = task;
    const minOffset = file.baseOffset ?? 0;
    this.#scanner = new BatchScanner(log, this.#end, { windowBytes: SEQUENTIAL_WINDOW_BYTES, minOffset });
  }

  async run(): Promise<void> {
    const { out } = this.#task;
    while (!this.#task.isStopped()) {
      const expected = this.#scanner.nextOffset;
      if (await this.#scanner.next()) await this.#showBatch(expected);
      else if (!(await this.#showDamaged())) break;
      await out.ready();
    }
    if (!this.#task.isStopped()) await this.#showTrailing();
  }

  /** What the walk took for a batch. */
  async #showBatch(expected: number): Promise<void> {
    const scanner = this.#scanner;
    const { fields, problem } = readBatchFields(scanner.batch, scanner.position);
    if (await scanner.isValid()) {
      await this.#show(fields, problem);
      return;
    }
    // Its offsets are not to be believed either, nor its length.
    const { position, size } = scanner;
    scanner.passOver(size, expected);
    const isLost = !(await this.#leadsOn(position + size));
    if (isLost && (await this.#showWrongLength(await this.#read(position, RECORD_BATCH_OVERHEAD), WRONG_CRC))) return;
    await this.#show(fields, WRONG_CRC);
  }

  /** What the walk refused, if one can go on behind it. */
  async #showDamaged(): Promise<boolean> {
    const scanner = this.#scanner;
    const { stop, position, problem } = scanner;
    if (stop === 'end') return false;
    const header = await this.#read(position, RECORD_BATCH_OVERHEAD);
    if (header.length < HEADER_SIZE_UP_TO_MAGIC) return false;
    const size = LOG_OVERHEAD + readInt32(header, BATCH_LENGTH_AT);
    const isWhole = nextBatch(header, 0, this.#end - position).status === 'batch';
    if (stop === 'corrupt' && size >= HEADER_SIZE_UP_TO_MAGIC && (await this.#leadsOn(position + size))) {
      await (isWhole ? this.#showMisplaced(header, size, problem) : this.#showUnreadable(header, size, problem));
      return true;
    }
    return this.#showWrongLength(header, problem);
  }

  /** A batch by itself, at the wrong place in the log. */
  async #showMisplaced(header: Buffer, size: number, problem: string): Promise<void> {
    const scanner = this.#scanner;
    const reading = readBatchFields(new RecordBatch().reset(header, 0), scanner.position);
    const { lastOffset } = reading.fields;
    const expected = scanner.nextOffset;
    scanner.passOver(size, lastOffset === null ? expected : lastOffset + 1);
    if (await scanner.isValid()) {
      await this.#show(reading.fields, reading.problem ?? problem);
      return;
    }
    await this.#show(reading.fields, WRONG_CRC);
    scanner.passOver(size, expected);
  }

  /** Nothing but a length that leads on. */
  async #showUnreadable(header: Buffer, size: number, problem: string): Promise<void> {
    const { position, nextOffset } = this.#scanner;
    this.#scanner.passOver(size, nextOffset);
    await this.#show(unreadableBatch(position, size, header[MAGIC_AT]!), problem);
  }

  /** A length that leads nowhere, while the batch that comes next by its offset can be found. */
  async #showWrongLength(header: Buffer, problem: string): Promise<boolean> {
    const { position, nextOffset } = this.#scanner;
    const lastOffset = this.#lastOffsetIn(header);
    if (lastOffset === undefined) return false;
    const next = await findBatch(this.#log, position + HEADER_SIZE_UP_TO_MAGIC, this.#end, lastOffset + 1);
    if (next === undefined) return false;
    const length = readInt32(header, BATCH_LENGTH_AT);
    const why = problem === '' ? `the batch length is ${length}, which leads behind the end of the file` : problem;
    const { fields } = readBatchFields(new RecordBatch().reset(header, 0), position);
    this.#scanner.passOver(next - position, nextOffset);
    await this.#show({ ...fields, size: next - position }, `${why}; the next batch begins at ${next}`);
    return true;
  }

  /** `undefined`: these are not the head of a batch that belongs here, even if its length is not looked at. */
  #lastOffsetIn(header: Buffer): number | undefined {
    if (header.length < RECORD_BATCH_OVERHEAD || header[MAGIC_AT]! > MAGIC_V2) return undefined;
    const { fields } = readBatchFields(new RecordBatch().reset(header, 0), this.#scanner.position);
    const { baseOffset, lastOffset } = fields;
    if (lastOffset === null || lastOffset < (baseOffset ?? lastOffset)) return undefined;
    return lastOffset < this.#scanner.nextOffset ? undefined : lastOffset;
  }

  /** Whether the file ends here, or the head of a batch stands here. */
  async #leadsOn(position: number): Promise<boolean> {
    if (position >= this.#end) return position === this.#end;
    const header = await this.#read(position, HEADER_SIZE_UP_TO_MAGIC);
    if (header.length < HEADER_SIZE_UP_TO_MAGIC) return false;
    return nextBatch(header, 0, this.#end - position).status === 'batch';
  }

  async #read(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    const got = await this.#log.read(bytes, 0, Math.min(length, this.#end - position), position);
    return bytes.subarray(0, got);
  }

  async #show(fields: BatchFields, problem: string | undefined): Promise<void> {
    const { format, out, damage, withRecords } = this.#task;
    const { position, size } = fields;
    const durable = this.#isDurable(position + size);
    format.batch(this.#file, fields, { problem, durable }, out.buffer);
    if (problem === undefined) {
      if (withRecords) await this.#showRecords(fields);
      return;
    }
    // What is not durable may just be being written.
    if (durable !== false) damage.add(this.#file, problem, { position, offset: fields.lastOffset ?? undefined });
  }

  async #showRecords(fields: BatchFields): Promise<void> {
    const { format, out, damage } = this.#task;
    const cursor = this.#cursor;
    const bytes = await this.#scanner.readBatch();
    try {
      const codec = codecNeeded(bytes, 0);
      if (codec !== undefined) await loadCodec(codec);
      openCursor(cursor, bytes, 0);
      while (cursor.next() && !this.#task.isStopped()) {
        const control = fields.isControl ? readControlFields(cursor) : undefined;
        format.record(this.#file, cursor, fields, control, out.buffer);
        await out.ready();
      }
    } catch (error) {
      if (!(error instanceof KlogError && isOfRecords(error))) throw error;
      const { position } = fields;
      const problem = problemOf(error);
      format.damage(this.#file, position, problem, out.buffer);
      damage.add(this.#file, problem, { position, offset: fields.lastOffset ?? undefined });
    }
  }

  async #showTrailing(): Promise<void> {
    const { position, stop, problem } = this.#scanner;
    // Cut off by --max-bytes, not by the file.
    if (stop === 'end' || (stop === 'partial' && this.#end < this.#size)) return;
    const file = this.#file;
    const durable = this.#isDurable(this.#size);
    const place = { position, end: this.#size, problem, durable };
    await dumpTrailing(file, this.#log, place, this.#task);
  }

  #isDurable(end: number): boolean | undefined {
    const { baseOffset } = this.#file;
    if (this.#limit === undefined || baseOffset === undefined) return undefined;
    return isDurable(this.#limit, baseOffset, end);
  }
}

/** Not what this machine lacks, but what the bytes are. */
function isOfRecords({ code }: KlogError): boolean {
  return code === 'CORRUPT_MESSAGE' || code === 'INVALID_RECORD';
}
