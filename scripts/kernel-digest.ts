import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Each becomes a module: `assembly/<name>.ts` → `<name>-module.ts`. */
export const KERNELS = [
  // Pages of 64 KiB, never more.
  { name: 'print', pages: 9 },
  { name: 'encode', pages: 15 },
  { name: 'pass', pages: 1 },
] as const;
export type Kernel = (typeof KERNELS)[number];

const KERNEL_ROOM = 'src/format/kernel';
export const sourceFile = ({ name }: Kernel) => `${KERNEL_ROOM}/assembly/${name}.ts`;
export const moduleFile = ({ name }: Kernel) => `${KERNEL_ROOM}/${name}-module.ts`;

export const COMPILER = 'assemblyscript@0.28.20';

export function flags({ pages }: Kernel): readonly string[] {
  return [
    '-O3',
    ...['--enable', 'simd', '--runtime', 'stub', '--noAssert', '--zeroFilledMemory'],
    ...['--initialMemory', `${pages}`, '--maximumMemory', `${pages}`],
  ];
}

/** Of all that makes the module what it is. */
export function kernelDigest(root: string, kernel: Kernel): string {
  const source = readFileSync(join(root, sourceFile(kernel)));
  return createHash('sha256')
    .update([COMPILER, ...flags(kernel), ''].join('\n'))
    .update(source)
    .digest('hex');
}
