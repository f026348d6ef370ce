import type { InputBuffer } from '../input-buffer.js';

/** Walks over the bytes of a time that is read. What is asked for beyond those that have come makes it starved. */
export class TimeText {
  position: number;
  /** The answers are worth nothing: more bytes are needed, and everything is to be read again. */
  isStarved = false;
  readonly #input: InputBuffer;

  constructor(input: InputBuffer) {
    this.#input = input;
    this.position = input.position;
  }

  /** The next byte as a character; nothing at the end. */
  peek(): string {
    const { bytes, length, ended } = this.#input;
    if (this.position < length) return String.fromCharCode(bytes[this.position]!);
    this.isStarved ||= !ended;
    return '';
  }

  /** Passes over the text if it stands here; otherwise nothing is passed over. Letters may be of either case. */
  takes(text: string): boolean {
    const from = this.position;
    for (let i = 0; i < text.length; i++) {
      if (this.peek().toLowerCase() !== text[i]!.toLowerCase()) {
        this.position = from;
        return false;
      }
      this.position++;
    }
    return true;
  }

  /** The number of `min` to `max` digits here, as many as there are; NaN where there are fewer. */
  digits(min: number, max = min): number {
    const from = this.position;
    let n = 0;
    while (this.position - from < max) {
      const digit = this.peek();
      if (digit < '0' || digit > '9' || digit === '') break;
      n = n * 10 + Number(digit);
      this.position++;
    }
    return this.position - from < min ? Number.NaN : n;
  }

  /** Which of the words stands here, or -1. */
  oneOf(words: readonly string[]): number {
    return words.findIndex((word) => this.takes(word));
  }
}
