import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const MIB = 1024 * 1024;
const setFlags = vi.spyOn(process.getBuiltinModule('node:v8'), 'setFlagsFromString');
const { versions } = process;

/** As a new process with this V8 has it. */
async function kernelWork(v8: string) {
  vi.resetModules();
  Object.defineProperty(process, 'versions', { value: { ...versions, v8 } });
  return await import('../../src/cli/kernel-work.js');
}

beforeEach(() => {
  setFlags.mockReset();
  setFlags.mockImplementation(() => {});
});
afterEach(() => {
  Object.defineProperty(process, 'versions', { value: versions });
});

it('tells V8 11 to compile less, once, when kernels have done much', async () => {
  const { kernelHasDone } = await kernelWork('11.3.244.8-node.33');
  kernelHasDone(MIB);
  kernelHasDone(MIB - 1);
  expect(setFlags).not.toHaveBeenCalled();
  for (let i = 0; i < 3; i++) kernelHasDone(MIB);
  expect(setFlags.mock.calls).toEqual([['--interrupt-budget=2000000']]);
});

it.each(['12.4.254.21-node.33', '13.6.233.17-node.40'])('tells V8 %s nothing: it knows no such flag', async (v8) => {
  const { kernelHasDone } = await kernelWork(v8);
  kernelHasDone(100 * MIB);
  expect(setFlags).not.toHaveBeenCalled();
});
