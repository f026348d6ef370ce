/** Shows a `.log` batch by batch, also behind damage. Memory is the window of the walk and, for records, one batch. */
import { dirname } from 'node:path';
import { KlogError } from '../../errors.js';
import { loadCodec } from '../../format/compression.js';
import { codecNeeded, openCursor, RecordCursor } from '../../format/record-cursor.js';
import type { OpenFile } from '../../storage/file-system.js';
import { parseSegmentFileName } from '../../storage/log-files.js';
import { type BatchFields, problemOf } from './batch-fields.js';
import { readControlFields } from './control-fields.js';
import type { DumpFile } from './dump-file.js';
import type { DumpTask } from './dump-task.js';
import { type DurableLimit, isDurable, readDurableLimit } from './durable-limit.js';
import { SegmentWalk } from './segment-walk.js';
import { dumpTrailing } from './trailing-bytes.js';

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
  readonly #walk: SegmentWalk;
  readonly #cursor = new RecordCursor();

  constructor(file: DumpFile, log: OpenFile, size: number, limit: DurableLimit | undefined, task: DumpTask) {
    this.#file = file;
    this.#log = log;
    this.#size = size;
    this.#end = Math.min(size, task.maxBytes);
    this.#limit = limit;
    this.#task = task;
    this.#walk = new SegmentWalk(log, this.#end, { minOffset: file.baseOffset ?? 0 });
  }

  async run(): Promise<void> {
    const { out } = this.#task;
    while (!this.#task.isStopped() && (await this.#walk.next())) {
      await this.#show(this.#walk.fields, this.#walk.problem);
      await out.ready();
    }
    if (!this.#task.isStopped()) await this.#showTrailing();
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
    const bytes = await this.#walk.readBatch();
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
    const { position, stop, stopProblem: problem } = this.#walk;
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
