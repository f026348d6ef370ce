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

/**
 * Holds bytes that come piece by piece against those expected. A last line without its newline is as good as one with
 * it.
 */
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
    // Of a line that was begun before, what came of it is as expected.
    const begun = expected.subarray(this.#lineStart, this.#position);
    let from = -1;
    for (let i = 0; i < bytes.length; i++) {
      const isNewline = bytes[i] === NEWLINE;
      // A line that was begun ends here, although its newline is missing.
      const isAdded = isNewline && this.isDone && this.#lineStart < this.#position;
      if (!isAdded && expected[this.#position] !== bytes[i]) {
        const found = from < 0 ? Buffer.concat([begun, bytes]) : bytes.subarray(from);
        return { ...this.rest, found: lineAt(found, 0) };
      }
      if (!isAdded) this.#position += 1;
      if (!isNewline) continue;
      this.#line += 1;
      this.#lineStart = this.#position;
      from = i + 1;
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
}

function lineAt(bytes: Uint8Array, start: number): string {
  const newline = bytes.indexOf(NEWLINE, start);
  const end = newline < 0 ? bytes.length : newline;
  const shown = Buffer.from(bytes.subarray(start, Math.min(end, start + SHOWN_BYTES))).toString();
  return end - start > SHOWN_BYTES ? `${shown}…` : shown;
}
