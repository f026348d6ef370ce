/** Who reads a pipe, and reads ahead. */
export interface PipeReader {
  /** There is no more than what can be taken. */
  readonly isOver: boolean;
  /** What is at hand, valid until the next call. Undefined: nothing yet, or nothing any more. Throws why reading failed. */
  take(): Uint8Array | undefined;
  /** Until there is something to take, or the input is over. */
  more(): Promise<void>;
  /** Reads no more; what was read can still be taken. */
  stop(): void;
  /** Gives up the descriptor, and what was not taken. */
  close(): Promise<void>;
}
