export interface Difference {
  /** Of the expected bytes, from 1. */
  readonly line: number;
  /** That line; undefined: there is none. */
  readonly expected: string | undefined;
  readonly found: string | undefined;
}

const NEWLINE = 0x0a;
/** Of a line that is shown. */
const SHOWN_BYTES = 200;

/** Holds bytes that come piece by piece against those expected. A last line without its newline is as good as one with it. */
export class ExpectedBytes {
  readonly #expected: Uint8Array;
  #position = 0;
  #line = 1;
  #lineStart = 0;

  constructor(expected: Uint8Array) {
    this.#expected = expected;
  }

  /** The first difference, or nothing. */
  take(bytes: Uint8Array): Difference | undefined {
    const expected = this.#expected;
    const start = this.#position;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      const isLastNewline = byte === NEWLINE && i === bytes.length - 1 && i > 0;
      if (this.#position === expected.length && isLastNewline && expected.at(-1) !== NEWLINE) return undefined;
      if (expected[this.#position] !== byte) return this.#difference(bytes, start);
      this.#position += 1;
      if (byte === NEWLINE) {
        this.#line += 1;
        this.#lineStart = this.#position;
      }
    }
    return undefined;
  }

  get isDone(): boolean {
    return this.#position === this.#expected.length;
  }

  /** Where it has come to, and what is expected there. */
  get rest(): Omit<Difference, 'found'> {
    const isAtEnd = this.#lineStart === this.#expected.length;
    return { line: this.#line, expected: isAtEnd ? undefined : lineAt(this.#expected, this.#lineStart) };
  }

  /** `bytes` began where `start` is in those expected. */
  #difference(bytes: Uint8Array, start: number): Difference {
    const lineStart = this.#lineStart;
    // Of the line that differs, what came before these bytes is as expected.
    const before = this.#expected.subarray(lineStart, Math.max(lineStart, start));
    const found = Buffer.concat([before, bytes.subarray(Math.max(0, lineStart - start))]);
    return { ...this.rest, found: lineAt(found, 0) };
  }
}

function lineAt(bytes: Uint8Array, start: number): string {
  const newline = bytes.indexOf(NEWLINE, start);
  const end = newline < 0 ? bytes.length : newline;
  const shown = Buffer.from(bytes.subarray(start, Math.min(end, start + SHOWN_BYTES))).toString();
  return end - start > SHOWN_BYTES ? `${shown}…` : shown;
}
