import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
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

/** Of all that makes the module what it is, and of the sources of the others: they share some. */
export function kernelDigest(root: string, kernel: Kernel): string {
  const hash = createHash('sha256').update([COMPILER, kernel.name, ...flags(kernel), ''].join('\n'));
  const room = join(root, KERNEL_ROOM, 'assembly');
  const sources = readdirSync(room).filter((name) => name.endsWith('.ts'));
  for (const name of sources.sort()) hash.update(`${name}\n`).update(readFileSync(join(room, name)));
  return hash.digest('hex');
}
