import type { Client } from '../../clients/client.js';
import type { Deadline } from './deadline.js';

export interface Wait {
  readonly client: Client;
  /** It is there. */
  readonly topic: string;
  readonly signal: AbortSignal;
  readonly deadline: Deadline;
}

/** What is waited for, and what is said of it. */
export interface Condition {
  /** Resolves true when it holds, false when time is up. */
  holds(wait: Wait): Promise<boolean>;
  /** What is missing when time is up. */
  missing(): string;
  /** What `--json` says of it. */
  found(): Record<string, unknown>;
}
