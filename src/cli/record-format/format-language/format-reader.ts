/**
 * Reads records by a `-f` layout from bytes that come in pieces. Where the pieces end makes no difference: a step that
 * lacks bytes is taken up again where it stood, and what was searched is not searched again.
 *
 * A final record without its last delimiter is a record, unless `strict`.
 */
import type { RecordHeader } from '../../../format/log-record.js';
import { InputBuffer } from '../input-buffer.js';
import type { InputRecord, RecordOrigin, RecordReader } from '../input-record.js';
import { JsonScanner, JsonSyntaxError } from '../json-scanner.js';
import { compileInputLayout, type InputStep, type NumberInput, type SizeStep, type TextStep } from './input-layout.js';
import { compactJson, decodeText } from './text-decoding.js';

export interface FormatReaderOptions {
  /** Refuses a final record without its last delimiter. Default false. */
  readonly strict?: boolean;
  /** A record with more bytes is refused. Default 256 MiB. */
  readonly maxRecordBytes?: number;
}

const DEFAULT_MAX_RECORD_BYTES = 256 * 1024 * 1024;
/** What an expression that may match newlines gets to see at once; others see the line. */
const EXPRESSION_WINDOW = 64 * 1024;

/** KLOG_USAGE for a layout that cannot be read. */
export function createFormatReader(format: string, options: FormatReaderOptions = {}): RecordReader {
  return new FormatReader(compileInputLayout(format), options);
}

class FormatReader implements RecordReader {
  readonly #steps: readonly InputStep[];
  readonly #strict: boolean;
  readonly #maxRecordBytes: number;
  readonly #input = new InputBuffer();
  readonly #scanner = new JsonScanner();
  readonly #finalLiteral: Buffer | undefined;
  /** Bytes behind `position` that the current step has seen already. */
  #seen = 0;
  #step = 0;
  #innerStep = 0;
  #draft = new Draft();

  constructor(steps: readonly InputStep[], options: FormatReaderOptions) {
    this.#steps = steps;
    this.#strict = options.strict === true;
    this.#maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES;
    const last = steps.at(-1)!;
    if (last.kind === 'literal') this.#finalLiteral = last.bytes;
    else if (last.kind === 'text' && last.extent.by === 'delimiter') this.#finalLiteral = last.extent.bytes;
  }

  push(chunk: Uint8Array): void {
    this.#input.push(chunk);
  }

  end(): void {
    this.#input.ended = true;
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
      this.#seen = 0;
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
    this.#seen = 0;
    this.#scanner.reset();
    this.#draft = new Draft();
  }

  /** Whether the step is done; false: more bytes are needed. */
  #run(step: InputStep, isLast: boolean): boolean {
    switch (step.kind) {
      case 'literal':
        return this.#readLiteral(step.bytes, isLast);
      case 'text':
        return this.#readText(step, isLast);
      case 'size': {
        const n = this.#readNumber(step.layout, step.nullable, step.verb);
        if (n === undefined) return false;
        this.#setSize(step, n);
        return true;
      }
      case 'number': {
        const n = this.#readNumber(step.layout, true, step.verb);
        if (n === undefined) return false;
        this.#draft.numbers[step.target] = n;
        return true;
      }
      case 'headers':
        return this.#readHeaders(step.inner);
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

  #readLiteral(bytes: Buffer, isLast: boolean): boolean {
    const input = this.#input;
    const available = input.length - input.position;
    if (available < bytes.length) {
      if (!input.ended) return false;
      if (isLast && available === 0 && !this.#strict && input.position > input.start) return true;
    }
    const found = input.bytes.subarray(input.position, Math.min(input.length, input.position + bytes.length));
    if (!found.equals(bytes))
      throw input.error(`expected ${quoted(bytes)}, found ${found.length === 0 ? 'the end' : quoted(found)}`);
    input.position += bytes.length;
    return true;
  }

  /** Undefined: more bytes are needed. */
  #readNumber(layout: NumberInput, signed: boolean, verb: string): number | undefined {
    switch (layout.as) {
      case 'fixed':
        return layout.value;
      case 'digits':
        return this.#readDigits(signed, verb);
      case 'bool':
        return this.#readBool(verb);
      case 'bytes':
        return this.#readWidth(layout.reader.bytes, signed, verb, layout.reader.read);
    }
  }

  #readDigits(signed: boolean, verb: string): number | undefined {
    const input = this.#input;
    const { bytes, position, length } = input;
    let end = position;
    if (signed && bytes[end] === 0x2d && end < length) end++;
    while (end < length && bytes[end]! >= 0x30 && bytes[end]! <= 0x39 && end - position <= 17) end++;
    if (end === length && !input.ended && end - position <= 17) return undefined;
    const digits = bytes.toString('latin1', position, end);
    const n = /\d/.test(digits) ? Number(digits) : Number.NaN;
    if (Number.isNaN(n)) {
      const found = end >= length ? 'the end of the input' : quoted(bytes.subarray(end, end + 1));
      throw input.error(`${verb} should be a number, found ${found}`);
    }
    if (!Number.isSafeInteger(n)) throw input.error(`${verb} is beyond 2^53 - 1`);
    input.position = end;
    return n;
  }

  #readBool(verb: string): number | undefined {
    const input = this.#input;
    const text = input.bytes.toString('latin1', input.position, Math.min(input.length, input.position + 5));
    for (const word of ['true', 'false']) {
      if (text.startsWith(word)) {
        input.position += word.length;
        return word === 'true' ? 1 : 0;
      }
    }
    if (!input.ended && ('true'.startsWith(text) || 'false'.startsWith(text))) return undefined;
    throw input.error(`${verb} should be true or false, found ${text === '' ? 'the end' : quoted(Buffer.from(text))}`);
  }

  #readWidth(
    width: number,
    signed: boolean,
    verb: string,
    read: (source: Uint8Array, position: number, signed: boolean) => number,
  ): number | undefined {
    const input = this.#input;
    if (input.length - input.position < width) {
      if (!input.ended) return undefined;
      throw input.error(`the input ends in ${verb}, which has ${width} bytes`);
    }
    const n = read(input.bytes, input.position, signed);
    if (Number.isNaN(n)) throw input.error(`${verb} should be ${width} hex digits`);
    if (n === Number.POSITIVE_INFINITY) throw input.error(`${verb} is beyond 2^53 - 1`);
    input.position += width;
    return n;
  }

  #readText(step: TextStep, isLast: boolean): boolean {
    const input = this.#input;
    const from = input.position;
    const { extent } = step;
    let end: number;
    let next: number;
    switch (extent.by) {
      case 'size': {
        const size = this.#draft.sizes[step.target]!;
        if (size < 0) {
          this.#draft.texts[step.target] = null;
          return true;
        }
        end = from + size;
        next = end;
        if (end > input.length) {
          if (!input.ended) return false;
          throw input.error(`the input ends ${end - input.length} bytes before ${step.verb}, which has ${size}, does`);
        }
        break;
      }
      case 'rest':
        if (!input.ended) return false;
        end = input.length;
        next = end;
        break;
      case 'json':
        end = this.#scanJson(step.verb);
        if (end < 0) return false;
        next = end;
        break;
      case 'delimiter':
        end = this.#findDelimiter(extent.bytes, step.verb, isLast);
        if (end < 0) return false;
        next = Math.min(input.length, end + extent.bytes.length);
        break;
      case 'expression':
        end = this.#matchExpression(extent.expression.endOfMatchAt, extent.mayMatchNewline, step.verb);
        if (end < 0) return false;
        next = end;
        break;
    }
    this.#draft.texts[step.target] = this.#decode(step, input.bytes.subarray(from, end));
    input.position = next;
    return true;
  }

  #decode(step: TextStep, bytes: Buffer): Buffer | null {
    if (step.nullText?.equals(bytes)) return null;
    if (step.encoding === 'raw') return Buffer.from(bytes);
    if (step.encoding === 'json') return compactJson(bytes);
    const decoded = decodeText(bytes, step.encoding);
    if (decoded === undefined) throw this.#input.error(`${step.verb} is not ${step.encoding}`);
    return decoded;
  }

  #findDelimiter(delimiter: Buffer, verb: string, isLast: boolean): number {
    const input = this.#input;
    const from = input.position + Math.max(0, this.#seen - delimiter.length + 1);
    const found = input.bytes.subarray(0, input.length).indexOf(delimiter, from);
    if (found >= 0) return found;
    this.#seen = input.length - input.position;
    if (!input.ended) return -1;
    if (isLast && !this.#strict) return input.length;
    throw input.error(`the input ends before the ${quoted(delimiter)} that ends ${verb}`);
  }

  #scanJson(verb: string): number {
    const input = this.#input;
    try {
      const end = this.#scanner.scan(input.bytes, input.position + this.#seen, input.length);
      if (end >= 0) {
        this.#scanner.reset();
        return end;
      }
    } catch (error) {
      if (error instanceof JsonSyntaxError) throw input.error(`${verb} is not JSON: ${error.message}`, error.position);
      throw error;
    }
    this.#seen = input.length - input.position;
    if (!input.ended) return -1;
    if (!this.#scanner.endsHere()) throw input.error(`the input ends in the middle of ${verb}, which is JSON`);
    this.#scanner.reset();
    return input.length;
  }

  /**
   * What a match may be depends on what follows, so the same bytes must be there however they come: the rest of the line, or
   * a window of 64 KiB.
   */
  #matchExpression(match: (text: string, from: number) => number, mayMatchNewline: boolean, verb: string): number {
    const input = this.#input;
    const { bytes, position, length } = input;
    let end = Math.min(length, position + EXPRESSION_WINDOW);
    if (mayMatchNewline) {
      if (length - position < EXPRESSION_WINDOW && !input.ended) return -1;
    } else {
      const newline = bytes.subarray(0, length).indexOf(0x0a, position + this.#seen);
      if (newline >= 0) end = newline;
      else if (!input.ended) {
        this.#seen = length - position;
        return -1;
      } else end = length;
    }
    const matched = match(bytes.toString('latin1', position, end), 0);
    if (matched < 0)
      throw input.error(
        `${verb} does not match here: ${quoted(bytes.subarray(position, Math.min(end, position + 20)))}`,
      );
    return position + matched;
  }

  #readHeaders(inner: readonly InputStep[]): boolean {
    const draft = this.#draft;
    const input = this.#input;
    draft.beginHeaders();
    while (draft.headersLeft > 0) {
      const headerFrom = this.#innerStep === 0 ? input.position : -1;
      while (this.#innerStep < inner.length) {
        if (!this.#run(inner[this.#innerStep]!, false)) return false;
        this.#seen = 0;
        this.#innerStep++;
      }
      if (headerFrom === input.position) throw input.error('a header that reads nothing');
      this.#innerStep = 0;
      if (!draft.endHeader()) throw input.error('the key of a header is null or not UTF-8');
    }
    draft.endHeaders();
    return true;
  }
}

type Texts = Record<'topic' | 'key' | 'value', Buffer | null>;

/** The record under way. While headers are read, `texts` and `sizes` are the header's. */
class Draft {
  texts: Texts = { topic: null, key: null, value: null };
  sizes = { topic: 0, key: 0, value: 0 };
  headersLeft = 0;
  readonly numbers: Partial<Record<Exclude<keyof InputRecord, 'topic' | 'key' | 'value' | 'headers'>, number>> = {};
  readonly #headers: RecordHeader[] = [];
  #outer: { texts: Texts; sizes: { topic: number; key: number; value: number } } | undefined;

  beginHeaders(): void {
    if (this.#outer !== undefined) return;
    this.#outer = { texts: this.texts, sizes: this.sizes };
    this.#clear();
  }

  /** False for a key that cannot be one. */
  endHeader(): boolean {
    const { key, value } = this.texts;
    if (key === null) return false;
    const name = key.toString('utf8');
    if (!Buffer.from(name, 'utf8').equals(key)) return false;
    this.#headers.push({ key: name, value });
    this.headersLeft--;
    this.#clear();
    return true;
  }

  endHeaders(): void {
    this.texts = this.#outer!.texts;
    this.sizes = this.#outer!.sizes;
  }

  record(): InputRecord {
    const { topic, key, value } = this.texts;
    return { ...this.numbers, topic: topic?.toString('utf8'), key, value, headers: this.#headers };
  }

  #clear(): void {
    this.texts = { topic: null, key: null, value: null };
    this.sizes = { topic: 0, key: 0, value: 0 };
  }
}

function quoted(bytes: Uint8Array): string {
  return JSON.stringify(Buffer.from(bytes).toString('utf8'));
}
