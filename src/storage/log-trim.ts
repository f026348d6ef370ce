import { KlogError } from '../errors.js';
import type { LogContext } from './log-context.js';

export interface TrimOptions {
  readonly validateOnly?: boolean | undefined;
}

export interface Trimmed {
  readonly logStartOffset: number;
  readonly offsets: number;
  readonly segments: number;
  readonly sizeInBytes: number;
}

export async function trim(_context: LogContext, _beforeOffset: number, _options: TrimOptions): Promise<Trimmed> {
  throw new KlogError('KLOG_UNSUPPORTED', 'under way');
}
