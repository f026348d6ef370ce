import { type ErrorCode, KlogError } from '../errors.js';

/** What every exit code means; the main help prints this table. */
export const EXIT_CODES = {
  0: 'done (also when the reader of the output went away)',
  1: 'failed; of several operands some failed, or not all alike',
  2: 'usage: unknown flag, bad value, illegal name, missing argument or confirmation',
  3: 'bad input data',
  4: 'not found: topic, partition, group, record; offset out of range',
  5: 'timed out before the amount asked for',
  6: 'a check, expectation, test or lag condition does not hold',
  7: 'the log is damaged',
  8: 'locked or fenced: another owner has it; a conditional append lost',
} as const;

export type ExitCode = keyof typeof EXIT_CODES;

/** What is not named here is 1: it failed. */
const EXIT_CODE_OF: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  INVALID_TOPIC_EXCEPTION: 2,
  INVALID_PARTITIONS: 2,
  INVALID_CONFIG: 2,
  INVALID_GROUP_ID: 2,
  KLOG_USAGE: 2,
  KLOG_BAD_INPUT: 3,
  MESSAGE_TOO_LARGE: 3,
  INVALID_RECORD: 3,
  INVALID_TIMESTAMP: 3,
  UNKNOWN_TOPIC_OR_PARTITION: 4,
  OFFSET_OUT_OF_RANGE: 4,
  GROUP_ID_NOT_FOUND: 4,
  KLOG_NOT_FOUND: 4,
  KLOG_TIMED_OUT: 5,
  REQUEST_TIMED_OUT: 5,
  KLOG_CONDITION_FAILED: 6,
  CORRUPT_MESSAGE: 7,
  KLOG_LOCKED: 8,
  NON_EMPTY_GROUP: 8,
  GROUP_SUBSCRIBED_TO_TOPIC: 8,
  UNKNOWN_MEMBER_ID: 8,
  ILLEGAL_GENERATION: 8,
  FENCED_INSTANCE_ID: 8,
  UNRELEASED_INSTANCE_ID: 8,
  INCONSISTENT_GROUP_PROTOCOL: 8,
  KLOG_NO_PARTITION: 8,
  KLOG_CONFLICT: 8,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof KlogError ? (EXIT_CODE_OF[error.code] ?? 1) : 1;
}

/** For several operands: the one code when all ended alike, else 1. */
export function combineExitCodes(codes: readonly ExitCode[]): ExitCode {
  const first = codes[0] ?? 0;
  return codes.every((code) => code === first) ? first : 1;
}
