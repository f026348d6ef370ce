import type { TopicPartition } from '../clients/client.js';
import type { KlogError } from '../errors.js';
import type { LogRecord } from '../format/log-record.js';

/** A record on its way through a handler: it has memory of its own. */
export interface HandledRecord extends LogRecord, TopicPartition {
  /** What the handler reads on its standard input. */
  readonly input: Uint8Array;
}

/** Why an attempt did not end in an acknowledgement. */
export interface FailedAttempt {
  /** For people: `exit code 3`. */
  readonly reason: string;
  /**
   * False: the handler broke down over another record, and this one was merely in its hands. Such an attempt does not
   * count.
   */
  readonly isBlamed: boolean;
  /**
   * Nothing could be run at all, which says nothing of the record: it is neither skipped for that nor a dead letter.
   */
  readonly neverBegan?: true;
}

/** Whatever handles records, one attempt a call. */
export interface Handler {
  /** For people: the command. */
  readonly name: string;
  /** Resolves with nothing when the record is acknowledged. Never rejects. */
  handle(record: HandledRecord): Promise<FailedAttempt | undefined>;
  /** Resolves with why the handler cannot be trusted with any record: then everything stops. Absent: that cannot be. */
  readonly broken?: Promise<KlogError>;
  /**
   * No more records come: resolves when whatever runs has ended. It has the time it wants, unless `isFailing`: then it
   * is ended after a moment. KLOG_HANDLER_FAILED if it ends badly.
   */
  close(isFailing: boolean): Promise<void>;
}

export function failed(reason: string): FailedAttempt {
  return { reason, isBlamed: true };
}

export function notBegun(reason: string): FailedAttempt {
  return { reason, isBlamed: true, neverBegan: true };
}
