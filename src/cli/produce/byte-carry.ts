/** More than this is given back when the carried bytes are done with. */
const RETAINED_BYTES = 4 * 1024 * 1024;

/**
 * Bytes that wait for the rest of their record: one buffer that doubles, so that a long line is copied twice at most.
 */
export class ByteCarry {
  bytes: Buffer = Buffer.allocUnsafeSlow(0);
  length = 0;

  append(source: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2, 4096));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(source.subarray(start, end), this.length);
    this.length = needed;
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > RETAINED_BYTES) this.bytes = Buffer.allocUnsafeSlow(0);
  }
}
