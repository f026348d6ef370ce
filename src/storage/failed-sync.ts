/**
 * The rule of the failed sync: a kernel that lost pages takes them for clean, so nothing may be acknowledged after it.
 */
import { KlogError } from '../errors.js';
import type { Awaitable } from './file-system.js';
import type { FileContext } from './log-context.js';

/**
 * Runs a sync. If it fails this process acknowledges nothing any more, and `syncing` stays set for the next one to
 * settle.
 */
export async function syncing(context: FileContext, sync: () => Awaitable<void>): Promise<void> {
  if (context.failure !== undefined) throw context.failure;
  try {
    await sync();
  } catch (error) {
    context.failure = new KlogError(
      'KLOG_SYNC_FAILED',
      `a sync failed, so nothing more is acknowledged: ${(error as Error).message}`,
      {
        topic: context.topic,
        partition: context.partition,
        file: context.directory,
        cause: error,
        hint: 'Check the disk (space, kernel log), then start again; what was not acknowledged may be missing.',
      },
    );
    throw context.failure;
  }
}
