import type { RecordHeader } from '../../format/log-record.js';

/**
 * A record read from input. Absent (undefined) means that the input did not say; null and empty are different.
 * Key and value may be views of a reader's buffer: they are valid until the reader is asked for the next record.
 */
export interface InputRecord {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly offset?: number | undefined;
  readonly leaderEpoch?: number | undefined;
  /** Milliseconds since 1970, -1 for a record that has none. */
  readonly timestamp?: number | undefined;
  readonly producerId?: number | undefined;
  readonly producerEpoch?: number | undefined;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** What the input held of a record, and where it began. */
export interface RecordOrigin {
  /** Valid until the reader is pushed more. */
  readonly bytes: Uint8Array;
  /** From 1. */
  readonly line: number;
  /** From 0, in the whole input. */
  readonly byte: number;
}

/**
 * Bytes in, records out: `push` any pieces of the input, take records with `next` until it has none, `end` at its end.
 */
export interface RecordReader {
  /** The bytes are copied. */
  push(chunk: Uint8Array): void;
  /** No more bytes will come; what is left is the last record. */
  end(): void;
  /**
   * The next record, or undefined until more is pushed, or for good after the end. KLOG_BAD_INPUT names record, line
   * and byte.
   */
  next(): InputRecord | undefined;
  /**
   * After a KLOG_BAD_INPUT, instead of `next`: passes over the bad record and returns its bytes. Undefined: where it
   * ends is not known yet, push more (or end) and call again.
   */
  skipBad(): Uint8Array | undefined;
  /** Of what was pushed, what no record has taken. */
  readonly bytesLeft: number;
  /** Where the last record came from: for those that are refused later on. */
  origin(): RecordOrigin;
}
