import { setTimeout as sleep } from 'node:timers/promises';
import { KlogError } from '../errors.js';
import type { HandledRecord, Handler } from './handler.js';

export interface RetryOptions {
  /** How often a failed record is tried again. */
  readonly retries: number;
  readonly signal: AbortSignal;
  /** For tests: waits, or ends early when the signal aborts. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
  /** An attempt has failed, and after `pauseMs` there will be another. */
  readonly onRetry?: ((record: HandledRecord, reason: string, attempts: number, pauseMs: number) => void) | undefined;
}

/** What became of a record. `stopped`: klog was told to stop before it was acknowledged. */
export type Outcome = 'acknowledged' | 'stopped' | { readonly reason: string; readonly attempts: number };

export const DEFAULT_RETRIES = 3;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;

/** Before the next attempt, after so many failed ones: 100 ms, doubling to 10 s. */
export function backoffMs(failedAttempts: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (failedAttempts - 1), LONGEST_BACKOFF_MS);
}

/**
 * Gives a record to a handler until it is acknowledged or has had its attempts. KLOG_HANDLER_FAILED when the last of
 * them could not even begin.
 */
export async function handleWithRetries(
  handler: Handler,
  record: HandledRecord,
  options: RetryOptions,
): Promise<Outcome> {
  const { retries, signal, pause = pauseFor, onRetry } = options;
  let attempts = 0;
  while (!signal.aborted) {
    const failure = await handler.handle(record);
    if (failure === undefined) return 'acknowledged';
    if (signal.aborted) break;
    if (!failure.isBlamed) continue;
    attempts += 1;
    if (attempts > retries) {
      if (failure.neverBegan) throw notRun(handler, record, failure.reason);
      return { reason: failure.reason, attempts };
    }
    const pauseMs = backoffMs(attempts);
    onRetry?.(record, failure.reason, attempts, pauseMs);
    await pause(pauseMs, signal);
  }
  return 'stopped';
}

function notRun({ name }: Handler, { topic, partition, offset }: HandledRecord, reason: string): KlogError {
  const place = { topic, partition, offset };
  return new KlogError(
    'KLOG_HANDLER_FAILED',
    `'${name}' cannot be run on ${topic}:${partition}@${offset}: ${reason}`,
    place,
  );
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
