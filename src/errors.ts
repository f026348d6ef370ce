/**
 * The one error type of klog and the one table of its codes.
 *
 * Where Kafka has a name for the failure the code is Kafka's (`org.apache.kafka.common.protocol.Errors`),
 * otherwise it begins with `KLOG_`. Codes are stable, messages are for people and may change.
 * A programmer's mistake (a wrong argument type) is a plain `TypeError`, not a `KlogError`.
 */
export const ERROR_CODES = {
  UNKNOWN_TOPIC_OR_PARTITION: { retriable: true },
  TOPIC_ALREADY_EXISTS: { retriable: false },
  INVALID_TOPIC_EXCEPTION: { retriable: false },
  INVALID_PARTITIONS: { retriable: false },
  INVALID_CONFIG: { retriable: false },
  OFFSET_OUT_OF_RANGE: { retriable: false },
  CORRUPT_MESSAGE: { retriable: false },
  MESSAGE_TOO_LARGE: { retriable: false },
  INVALID_RECORD: { retriable: false },
  INVALID_TIMESTAMP: { retriable: false },
  UNSUPPORTED_COMPRESSION_TYPE: { retriable: false },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: { retriable: false },
  UNSUPPORTED_VERSION: { retriable: false },
  TOPIC_DELETION_DISABLED: { retriable: false },
  POLICY_VIOLATION: { retriable: false },
  KAFKA_STORAGE_ERROR: { retriable: false },
  REQUEST_TIMED_OUT: { retriable: true },
  /** The consumer is no member of its group any more: it was evicted, or found dead. */
  UNKNOWN_MEMBER_ID: { retriable: false },
  /** The member does not hold the partition (any more). */
  ILLEGAL_GENERATION: { retriable: false },
  /** Another member has taken the name of this static one. */
  FENCED_INSTANCE_ID: { retriable: false },
  /** A living member has the name that a static one wants to have. */
  UNRELEASED_INSTANCE_ID: { retriable: true },
  /** The group shares its partitions out in another way than a member wants. */
  INCONSISTENT_GROUP_PROTOCOL: { retriable: false },
  INVALID_GROUP_ID: { retriable: false },
  GROUP_ID_NOT_FOUND: { retriable: false },
  /** Members of the group own what is to be changed. */
  NON_EMPTY_GROUP: { retriable: true },
  /** Members of the group own partitions whose offsets are to be deleted. */
  GROUP_SUBSCRIBED_TO_TOPIC: { retriable: true },
  /** The other members of the group own all of its partitions. */
  KLOG_NO_PARTITION: { retriable: true },
  /** Another process holds the lock and kept it longer than the wait was allowed to last. */
  KLOG_LOCKED: { retriable: true },
  /**
   * The bytes were written, but whether they are, or will be, in the log is not known: they were cut off meanwhile, or
   * nobody could be waited for who makes them durable. Read the log to find out; the same call again might store them
   * twice.
   */
  KLOG_OUTCOME_UNKNOWN: { retriable: false },
  /** A sync failed earlier in this process: it acknowledges nothing any more. */
  KLOG_SYNC_FAILED: { retriable: false },
  /** The path is not a klog directory, or not one this version may open. */
  KLOG_BAD_DIRECTORY: { retriable: false },
  KLOG_NETWORK_FILE_SYSTEM: { retriable: false },
  KLOG_PERMISSION_DENIED: { retriable: false },
  KLOG_DISK_FULL: { retriable: true },
  /** What was to be changed is not what it was when it was looked at: nothing was changed. */
  KLOG_CONFLICT: { retriable: false },
  /** Input given by the user could not be read as what it should be. */
  KLOG_BAD_INPUT: { retriable: false },
  /** A flag, argument or expression is wrong. */
  KLOG_USAGE: { retriable: false },
  KLOG_NOT_FOUND: { retriable: false },
  KLOG_TIMED_OUT: { retriable: true },
  /** A check, expectation or condition does not hold. */
  KLOG_CONDITION_FAILED: { retriable: false },
  /** Standard input or a file to be read from could not be read. */
  KLOG_INPUT_FAILED: { retriable: false },
  KLOG_OUTPUT_FAILED: { retriable: false },
  KLOG_HANDLER_FAILED: { retriable: false },
  /** Some of it was done, and what was not has been told one by one. */
  KLOG_INCOMPLETE: { retriable: false },
  KLOG_UNSUPPORTED: { retriable: false },
  KLOG_CLOSED: { retriable: false },
  KLOG_INTERNAL: { retriable: false },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Where it happened. Every field is optional; positions and offsets are numbers, paths as given. */
export interface ErrorPlace {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly offset?: number | undefined;
  /** Byte position in `file`. */
  readonly position?: number | undefined;
  readonly file?: string | undefined;
  /** A consumer group's id. */
  readonly group?: string | undefined;
  /** Line of the input, from 1. */
  readonly line?: number | undefined;
}

export interface KlogErrorOptions extends ErrorPlace {
  readonly cause?: unknown;
  /** What the user may try, one short sentence. */
  readonly hint?: string | undefined;
}

/** `message` says what was asked, what was found and where; `hint` what to try. */
export class KlogError extends Error {
  override readonly name = 'KlogError';
  readonly code: ErrorCode;
  readonly place: ErrorPlace;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: KlogErrorOptions = {}) {
    const { cause, hint, ...place } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.place = place;
    this.hint = hint;
  }

  /** The same error where more is known: another message or hint, more of the place. This one is its cause. */
  with({
    message = this.message,
    ...known
  }: Omit<KlogErrorOptions, 'cause'> & { readonly message?: string }): KlogError {
    return new KlogError(this.code, message, { ...this.place, hint: this.hint, cause: this, ...known });
  }

  /** Whether the same call may succeed later without anything being changed. */
  get retriable(): boolean {
    return ERROR_CODES[this.code].retriable;
  }
}

/**
 * Why the system refused something, without the code, the call and the path that Node puts around it:
 * `ENOENT: no such file or directory, open 'x'` is `no such file or directory`.
 */
export function systemReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, reason] = /^E[A-Z0-9]+: (.+?)(?:, [a-z]+(?: '.*')?)?$/s.exec(message) ?? [];
  return reason ?? message;
}
