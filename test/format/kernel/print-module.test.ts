import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { kernelDigest } from '../../../scripts/kernel-digest.js';
import { DIGEST } from '../../../src/format/kernel/print-module.js';

it('the module is of the present source (npm run kernel)', () => {
  expect(DIGEST).toBe(kernelDigest(resolve(import.meta.dirname, '../../..')));
});
