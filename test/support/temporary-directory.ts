/** Where tests keep files, gone afterwards. `under`: {@link realDisk} for what has to be on one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** A new directory for this test. In `beforeEach` for each test. */
export function temporaryDirectory(under = tmpdir()): string {
  const path = make(under);
  onTestFinished(() => remove(path));
  return path;
}

/** One directory for all tests of a file, or of the `describe` it is asked for in. */
export function sharedDirectory(under = tmpdir()): string {
  const path = make(under);
  afterAll(() => remove(path));
  return path;
}

/** A new directory while `use` runs: for the many runs of a property, and for tests side by side. */
export async function inTemporaryDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const path = make(tmpdir());
  try {
    return await use(path);
  } finally {
    remove(path);
  }
}

function make(under: string): string {
  return mkdtempSync(join(under, 'klog-test-'));
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
