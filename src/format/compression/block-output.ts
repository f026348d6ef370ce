/**
 * Puts together what blocks or frames decompress to. A single one is handed through as it is. From the second on all go
 * into one buffer, since a thousand small blocks kept apart would cost many times their bytes.
 */
export class BlockOutput {
  readonly #maxBytes: number;
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** The caller never appends more than `maxBytes`, and the buffer never grows beyond it. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** How much may still be appended. */
  get room(): number {
    return this.#maxBytes - this.#length;
  }

  /** `block` must not share memory with anything that its owner will change. */
  append(block: Uint8Array): void {
    const length = this.#length + block.length;
    if (this.#length === 0) {
      this.#buffer = block;
    } else if (block.length > 0) {
      if (length > this.#buffer.length) this.#grow(length);
      this.#buffer.set(block, this.#length);
    }
    this.#length = length;
  }

  /** What was appended from `start` on: a view, valid until the next append. */
  from(start: number): Uint8Array {
    return this.#buffer.subarray(start, this.#length);
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(needed, 2 * this.#buffer.length)));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
