import { KlogError } from '../errors.js';
import type { LogContext } from './log-context.js';
import type { Trimmed } from './log-trim.js';

export interface RetentionOptions {
  readonly force?: boolean | undefined;
  readonly validateOnly?: boolean | undefined;
}

export interface Retained extends Trimmed {
  readonly skipped: 'clock' | undefined;
}

export async function applyRetention(_context: LogContext, _options: RetentionOptions): Promise<Retained> {
  throw new KlogError('KLOG_UNSUPPORTED', 'under way');
}
