import type { RecordHeader } from '../../format/log-record.js';
import { ANY_PARTITION } from './record-target.js';

/** Turns a value as it was given into the bytes that are stored. KLOG_BAD_INPUT. */
export type ValueEncoder = (value: Uint8Array) => Uint8Array;

/** What all records of one run share. */
export interface RecordFields {
  /** `-k`, unless the input says. */
  readonly key: Buffer | null;
  /** `-H`, behind those of the input. */
  readonly headers: readonly RecordHeader[];
  /** `-p`; -1: the partitioner's choice. */
  readonly partition: number;
  /** `--timestamp`; undefined: the input's, else now. */
  readonly timestamp: number | undefined;
  /** `-Z`. */
  readonly emptyIsNull: boolean;
  /** `--value-format`; undefined: as it is. */
  readonly encodeValue: ValueEncoder | undefined;
}

/** Nothing but a value: the everyday line. */
export function isPlain(fields: RecordFields): boolean {
  const { key, headers, partition, emptyIsNull, encodeValue } = fields;
  return (
    key === null && headers.length === 0 && partition === ANY_PARTITION && !emptyIsNull && encodeValue === undefined
  );
}
