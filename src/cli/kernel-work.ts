/**
 * Where kernels do what is done for each record, the JavaScript around them runs some thousand times only. V8 11, that
 * of Node 20, optimizes it all the same, on threads of its own: a tenth to a fifth of a command's CPU. So it is told to
 * take its time: what does run for each record still comes to be optimized, some milliseconds later. From V8 12 on
 * another compiler does with less.
 */

/** So much must kernels have done: a short command is over before V8 begins. */
const MUCH_BYTES = 2 * 1024 * 1024;
/** Thirty times as much as V8's own, in bytes of bytecode that have run. */
const INTERRUPT_BUDGET = '--interrupt-budget=2000000';

let bytesDone = 0;

/** So much more was read or printed by kernels. */
export function kernelHasDone(bytes: number): void {
  if (bytesDone >= MUCH_BYTES) return;
  bytesDone += bytes;
  const hasBudget = Number.parseInt(process.versions.v8, 10) < 12;
  if (bytesDone >= MUCH_BYTES && hasBudget) process.getBuiltinModule('node:v8').setFlagsFromString(INTERRUPT_BUDGET);
}
