/** One header of a record: keys are UTF-8, may repeat, and keep their order; a value may be null. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** A decoded record of a log. Null and empty are different for keys and values. */
export interface LogRecord {
  readonly offset: number;
  /** Milliseconds since 1970, or -1 when the record has none. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** What a timestamp tells: `create`, when the record was made; `append`, when it was stored; `none`: there is none. */
export type TimestampType = 'create' | 'append' | 'none';
