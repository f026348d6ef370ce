import { KlogError } from '../errors.js';
import type { LogContext } from './log-context.js';

export interface CompactOptions {
  readonly force?: boolean | undefined;
}

export interface Compacted {
  readonly skipped: 'nothing to do' | 'below the dirty ratio' | 'clock' | undefined;
  readonly firstDirtyOffset: number;
  readonly recordsBefore: number;
  readonly recordsAfter: number;
  readonly segmentsBefore: number;
  readonly segmentsAfter: number;
  readonly sizeBefore: number;
  readonly sizeAfter: number;
}

export async function compact(_context: LogContext, _options: CompactOptions): Promise<Compacted> {
  throw new KlogError('KLOG_UNSUPPORTED', 'under way');
}
