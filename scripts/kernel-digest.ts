import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const SOURCE_FILE = 'src/format/kernel/assembly/print.ts';
export const MODULE_FILE = 'src/format/kernel/print-module.ts';
export const COMPILER = 'assemblyscript@0.28.20';
/** The memory has seven pages of 64 KiB, and never more. */
export const FLAGS = [
  '-O3',
  '--converge',
  ...['--enable', 'simd', '--runtime', 'stub', '--noAssert', '--zeroFilledMemory'],
  ...['--initialMemory', '7', '--maximumMemory', '7'],
];

/** Of all that makes the module what it is. */
export function kernelDigest(root: string): string {
  const source = readFileSync(join(root, SOURCE_FILE));
  return createHash('sha256')
    .update([COMPILER, ...FLAGS, ''].join('\n'))
    .update(source)
    .digest('hex');
}
