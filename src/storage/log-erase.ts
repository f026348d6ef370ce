import { KlogError } from '../errors.js';
import type { LogContext } from './log-context.js';

export type EraseSelection = { readonly offset: number } | { readonly key: Uint8Array };

export interface EraseOptions {
  readonly validateOnly?: boolean | undefined;
}

export interface Erased {
  readonly records: number;
  readonly segments: number;
  readonly cutFiles: number;
}

export async function erase(_context: LogContext, _selection: EraseSelection, _options: EraseOptions): Promise<Erased> {
  throw new KlogError('KLOG_UNSUPPORTED', 'under way');
}
