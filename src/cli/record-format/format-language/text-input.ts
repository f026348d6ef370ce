/** Finds where texts of the input end. What was searched in vain is not searched again when more bytes have come. */
import type { InputBuffer } from '../input-buffer.js';
import { JsonScanner, JsonSyntaxError } from '../json-scanner.js';
import { quoted } from './input-literal.js';
import type { TextExtent } from './input-steps.js';

/** What an expression that may match newlines gets to see at once; others see the line. */
const EXPRESSION_WINDOW = 64 * 1024;

export class TextInput {
  readonly #input: InputBuffer;
  readonly #scanner = new JsonScanner();
  /** Bytes behind `position` that the current search has seen already. */
  #seen = 0;

  constructor(input: InputBuffer) {
    this.#input = input;
  }

  /** Before the next step. */
  reset(): void {
    this.#seen = 0;
    this.#scanner.reset();
  }

  /**
   * The end of the text at the input's position, or -1: more bytes are needed. `size`: that of a sized text. `mayLack`:
   * the end of the input may stand for the delimiter.
   */
  endOf(extent: TextExtent, size: number, verb: string, mayLack: boolean): number {
    switch (extent.by) {
      case 'size':
        return this.#endOfSize(size, verb);
      case 'rest':
        return this.#input.ended ? this.#input.length : -1;
      case 'json':
        return this.#endOfJson(verb);
      case 'delimiter':
        return this.#findDelimiter(extent.bytes, verb, mayLack);
      case 'expression':
        return this.#matchExpression(extent.expression.endOfMatchAt, extent.mayMatchNewline, verb);
    }
  }

  #endOfSize(size: number, verb: string): number {
    const input = this.#input;
    const end = input.position + size;
    if (end <= input.length) return end;
    if (!input.ended) return -1;
    throw input.error(`the input ends ${end - input.length} bytes before ${verb}, which has ${size}, does`);
  }

  #findDelimiter(delimiter: Buffer, verb: string, mayLack: boolean): number {
    const input = this.#input;
    const from = input.position + Math.max(0, this.#seen - delimiter.length + 1);
    const found = input.bytes.subarray(0, input.length).indexOf(delimiter, from);
    if (found >= 0) return found;
    this.#seen = input.length - input.position;
    if (!input.ended) return -1;
    if (mayLack) return input.length;
    throw input.error(`the input ends before the ${quoted(delimiter)} that ends ${verb}`);
  }

  #endOfJson(verb: string): number {
    const input = this.#input;
    try {
      const end = this.#scanner.scan(input.bytes, input.position + this.#seen, input.length);
      if (end >= 0) return end;
    } catch (error) {
      if (error instanceof JsonSyntaxError) throw input.error(`${verb} is not JSON: ${error.message}`, error.position);
      throw error;
    }
    this.#seen = input.length - input.position;
    if (!input.ended) return -1;
    if (!this.#scanner.endsHere()) throw input.error(`the input ends in the middle of ${verb}, which is JSON`);
    return input.length;
  }

  /**
   * What a match may be depends on what follows, so the same bytes must be there however they come: the rest of the
   * line, or a window of 64 KiB.
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
    if (matched >= 0) return position + matched;
    const found = quoted(bytes.subarray(position, Math.min(end, position + 20)));
    throw input.error(`${verb} does not match here: ${found}`);
  }
}
