import type { RecordCursor } from '../../format/record-cursor.js';
import type { Output } from '../output.js';
import { OutputBuffer } from '../record-format/output-buffer.js';
import type { BatchFields, BatchVerdict } from './batch-fields.js';
import type { ControlFields } from './control-fields.js';
import type { DumpFile } from './dump-file.js';

/** Bytes at the end of a file that are no batch or entry. */
export interface TrailingBytes {
  readonly position: number;
  readonly bytes: number;
  /** `zeros`: room made in advance. `partial`: a batch that is not whole. */
  readonly content: 'zeros' | 'partial' | 'garbage';
  /** What is wrong, or missing. */
  readonly problem: string | undefined;
  /** As in `BatchVerdict`. */
  readonly durable: boolean | undefined;
}

export type FieldValue = string | number | boolean | null | FieldValues | readonly FieldValues[];
export type FieldValues = { readonly [name: string]: FieldValue };

/** How a dump is written: as text, or as JSON. */
export interface DumpFormat {
  begin(file: DumpFile, out: OutputBuffer): void;
  batch(file: DumpFile, fields: BatchFields, verdict: BatchVerdict, out: OutputBuffer): void;
  /** The record the cursor stands on. */
  record(
    file: DumpFile,
    cursor: RecordCursor,
    batch: BatchFields,
    control: ControlFields | undefined,
    out: OutputBuffer,
  ): void;
  /** An entry of an index, or the content of a small file. `lines`: the same as text. */
  content(file: DumpFile, type: string, fields: FieldValues, lines: readonly string[], out: OutputBuffer): void;
  empty(file: DumpFile, out: OutputBuffer): void;
  trailing(file: DumpFile, trailing: TrailingBytes, out: OutputBuffer): void;
  /** Something that can be named and not be shown. */
  damage(file: DumpFile, position: number | undefined, problem: string, out: OutputBuffer): void;
}

/** Collected before it goes to the output. */
const BLOCK_BYTES = 128 * 1024;

/** Takes what a format wrote to where it goes, a block at a time. */
export class DumpOutput {
  readonly buffer = new OutputBuffer();
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  get isClosed(): boolean {
    return this.#output.isClosed;
  }

  /** To be called after everything written: waits for the reader when there is enough for him. */
  async ready(): Promise<void> {
    if (this.buffer.length < BLOCK_BYTES && !this.#output.isImmediate) return;
    this.flush();
    if (!this.#output.endRecord()) await this.#output.drain();
  }

  flush(): void {
    this.#output.append(this.buffer.buffer, 0, this.buffer.length);
    this.buffer.clear();
  }
}
