/** What is handed out at a time; between threads that costs as much as the work on 30 KiB. */
export const BLOCK_BYTES = 512 * 1024;

/** Read ahead at most. A wait for the disk takes some milliseconds, in which a writer fills them. */
export const MOST_BLOCKS = 8;

/** What is read at a time where events tell that there is something: as much as a pipe holds. */
export const ARRIVAL_BYTES = 64 * 1024;

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
