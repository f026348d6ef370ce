/** Finds rows and their fields in bytes that come in pieces. */
export interface RowScanner {
  /** Of the row found last. */
  readonly fieldCount: number;
  /**
   * Looks for the end of the row that begins at `start`, among the bytes before `length`. Returns the position behind
   * it; or -1: call again with more bytes, which may have moved meanwhile. `isLast`: no more will come, so the row ends
   * there. Throws a {@link RowSyntaxError}; `reset` then.
   */
  scan(bytes: Buffer, start: number, length: number, isLast: boolean): number;
  /**
   * A field of the row that was found at `start`, null for null: a view of `bytes`, or a copy where it had to be
   * decoded.
   */
  field(bytes: Buffer, start: number, index: number): Buffer | null;
  /** Before the next row. */
  reset(): void;
}

/** Where a row stops being one, as a position in the scanned bytes. */
export class RowSyntaxError extends Error {
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}
