/**
 * Reads records by a `-f` layout from bytes that come in pieces. Where the pieces end makes no difference: a step that
 * lacks bytes is taken up again where it stood, and what was searched is not searched again.
 *
 * A final record without its last delimiter is a record, unless `strict`.
 */
import { argumentBytes } from '../../argument-bytes.js';
import { InputBuffer } from '../input-buffer.js';
import type { InputRecord, RecordOrigin, RecordReader } from '../input-record.js';
import { compileInputLayout } from './input-layout.js';
import { readLiteral } from './input-literal.js';
import type { HeaderListStep, InputStep, SizeStep, TextStep } from './input-steps.js';
import { readKafkaHeaders } from './kafka-headers.js';
import { readNumber } from './number-input.js';
import { RecordDraft } from './record-draft.js';
import { TextInput } from './text-input.js';
import { readTime } from './time-input.js';

export interface FormatReaderOptions {
  /** Refuses a final record without its last delimiter. Default false. */
  readonly strict?: boolean;
  /** A record with more bytes is refused. Default 256 MiB. */
  readonly maxRecordBytes?: number;
}

const DEFAULT_MAX_RECORD_BYTES = 256 * 1024 * 1024;

/** A layout of the format language, or `kcat:…`. KLOG_USAGE for what cannot be read back. */
export function createFormatReader(format: string, options: FormatReaderOptions = {}): RecordReader {
  return new FormatReader(compileInputLayout(format), options);
}

export class FormatReader implements RecordReader {
  readonly #steps: readonly InputStep[];
  readonly #strict: boolean;
  readonly #maxRecordBytes: number;
  readonly #input = new InputBuffer();
  readonly #texts = new TextInput(this.#input);
  readonly #finalLiteral: Buffer | undefined;
  #step = 0;
  #innerStep = 0;
  #draft = new RecordDraft();

  constructor(steps: readonly InputStep[], options: FormatReaderOptions) {
    this.#steps = steps;
    this.#strict = options.strict === true;
    this.#maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES;
    const last = steps.at(-1)!;
    if (last.kind === 'literal') this.#finalLiteral = last.bytes;
    else if (last.kind === 'headerList') this.#finalLiteral = last.end;
    else if (last.kind === 'text' && last.extent.by === 'delimiter') this.#finalLiteral = last.extent.bytes;
  }

  push(chunk: Uint8Array): void {
    this.#input.push(chunk);
  }

  end(): void {
    this.#input.ended = true;
  }

  get bytesLeft(): number {
    return this.#input.length - this.#input.start;
  }

  origin(): RecordOrigin {
    return this.#input.origin();
  }

  next(): InputRecord | undefined {
    const input = this.#input;
    const steps = this.#steps;
    if (this.#step === 0 && input.start === input.length) return undefined;
    while (this.#step < steps.length) {
      if (!this.#run(steps[this.#step]!, this.#step === steps.length - 1)) {
        if (input.length - input.start > this.#maxRecordBytes) {
          throw input.error(`a record of more than ${this.#maxRecordBytes} bytes`, input.start);
        }
        return undefined;
      }
      this.#texts.reset();
      this.#step++;
    }
    if (input.position === input.start) throw input.error('the format matches without reading anything');
    const record = this.#draft.record();
    this.#begin();
    input.take();
    return record;
  }

  skipBad(): Uint8Array | undefined {
    const input = this.#input;
    let end = input.length;
    const literal = this.#finalLiteral;
    const tooLong = input.length - input.start > this.#maxRecordBytes;
    if (literal !== undefined) {
      const found = input.bytes.subarray(0, input.length).indexOf(literal, input.start);
      if (found >= 0) end = found + literal.length;
      else if (!input.ended && !tooLong) return undefined;
    } else if (!input.ended && !tooLong) {
      return undefined;
    }
    const skipped = Buffer.from(input.bytes.subarray(input.start, end));
    input.dropTo(end);
    this.#begin();
    return skipped;
  }

  #begin(): void {
    this.#step = 0;
    this.#innerStep = 0;
    this.#texts.reset();
    this.#draft = new RecordDraft();
  }

  /** Whether the step is done; false: more bytes are needed. */
  #run(step: InputStep, isLast: boolean): boolean {
    const mayLack = isLast && !this.#strict;
    switch (step.kind) {
      case 'literal':
        return readLiteral(this.#input, step.bytes, mayLack);
      case 'text':
        return this.#readText(step, mayLack);
      case 'size': {
        const n = readNumber(this.#input, step.layout, step.nullable, step.verb);
        if (n === undefined) return false;
        this.#setSize(step, n);
        return true;
      }
      case 'number': {
        const n = readNumber(this.#input, step.layout, true, step.verb);
        if (n === undefined) return false;
        this.#draft.numbers[step.target] = n;
        return true;
      }
      case 'time': {
        const timestamp = readTime(this.#input, step.time, step.verb);
        if (timestamp === undefined) return false;
        this.#draft.numbers.timestamp = timestamp;
        return true;
      }
      case 'headers':
        return this.#readHeaders(step.inner);
      case 'headerList':
        return this.#readHeaderList(step, mayLack);
    }
  }

  #setSize(step: SizeStep, n: number): void {
    const input = this.#input;
    const draft = this.#draft;
    if (n < 0 && !(n === -1 && step.nullable)) {
      const hint = step.target === 'headers' ? undefined : `With ${step.verb}{null}, -1 means null.`;
      throw input.error(`${step.verb} is ${n}, which is no size`, input.position, { hint });
    }
    if (n > this.#maxRecordBytes)
      throw input.error(`${step.verb} is ${n}, and ${this.#maxRecordBytes} bytes are allowed`);
    if (step.target === 'headers') draft.headersLeft = n;
    else draft.sizes[step.target] = n;
  }

  #readText(step: TextStep, mayLack: boolean): boolean {
    const input = this.#input;
    const { target, extent, verb } = step;
    const size = typeof target === 'string' ? this.#draft.sizes[target] : 0;
    const isSized = extent.by === 'size';
    if (isSized && size < 0) {
      this.#setText(step, null);
      return true;
    }
    const end = this.#texts.endOf(extent, size, verb, mayLack);
    if (end < 0) return false;
    this.#setText(step, this.#decode(step, input.bytes.subarray(input.position, end)));
    input.position = extent.by === 'delimiter' ? Math.min(input.length, end + extent.bytes.length) : end;
    return true;
  }

  #setText({ target }: TextStep, text: Buffer | null): void {
    if (typeof target === 'string') this.#draft.texts[target] = text;
    else if (text !== null) this.#draft.addHeader(argumentBytes(target.header), text);
  }

  #decode(step: TextStep, bytes: Buffer): Buffer | null {
    if (step.nullText?.equals(bytes)) return null;
    const decoded = step.decode.decode(bytes);
    if (decoded === undefined) throw this.#input.error(`${step.verb} is not ${step.decode.name}`);
    return decoded;
  }

  #readHeaders(inner: readonly InputStep[]): boolean {
    const draft = this.#draft;
    const input = this.#input;
    draft.beginHeaders();
    while (draft.headersLeft > 0) {
      const headerFrom = this.#innerStep === 0 ? input.position : -1;
      while (this.#innerStep < inner.length) {
        if (!this.#run(inner[this.#innerStep]!, false)) return false;
        this.#texts.reset();
        this.#innerStep++;
      }
      if (headerFrom === input.position) throw input.error('a header that reads nothing');
      this.#innerStep = 0;
      if (!draft.endHeader()) throw input.error('the key of a header is null or not UTF-8');
    }
    draft.endHeaders();
    return true;
  }

  #readHeaderList(step: HeaderListStep, mayLack: boolean): boolean {
    const input = this.#input;
    const end = this.#texts.endOf({ by: 'delimiter', bytes: step.end }, 0, step.verb, mayLack);
    if (end < 0) return false;
    if (!readKafkaHeaders(input.bytes.subarray(input.position, end), step, this.#draft)) {
      throw input.error(`${step.verb} should be KEY:VALUE, or NO_HEADERS`);
    }
    input.position = Math.min(input.length, end + step.end.length);
    return true;
  }
}
