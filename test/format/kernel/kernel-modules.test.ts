import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { KERNELS, kernelDigest, moduleFile } from '../../../scripts/kernel-digest.js';

const root = resolve(import.meta.dirname, '../../..');

it.each(KERNELS)('the module of $name is of its present source (npm run kernel)', async (kernel) => {
  const { DIGEST } = (await import(resolve(root, moduleFile(kernel)))) as { DIGEST: string };
  expect(DIGEST).toBe(kernelDigest(root, kernel));
});
