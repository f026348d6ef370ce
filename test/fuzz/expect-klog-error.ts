import { KlogError } from '../../src/errors.js';

/** Success, or a KlogError that says something. */
export function expectKlogError(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assertKlogError(error);
  }
}

export async function expectKlogErrorFrom(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    assertKlogError(error);
  }
}

function assertKlogError(error: unknown): void {
  if (!(error instanceof KlogError) || error.code === 'KLOG_INTERNAL' || error.message === '') throw error;
}
