/** What a scenario runs on: real processes (real-machine.ts), or a machine in memory (../rig/memory-machine.ts). */
import type { Client } from '../../../src/clients/client.js';
import type { Clock } from '../../../src/storage/log-context.js';
import type { Stage } from './scenario.js';

/** As one process has it. */
export interface Machine {
  /** What is printed is on its way to the kernel when this returns. */
  say(text: string): void;
  open(directory: string, clock?: Clock): Promise<Client>;
  /**
   * Runs a part of the scenario as a process of its own. Resolves when it has ended well.
   * @param onReady it has said that it is ready
   */
  start(stage: Stage, part: string, onReady?: () => void): Promise<void>;
  ready(): void;
  exit(): Promise<never>;
  /** Resolves when the command line has ended well. */
  klog(args: readonly string[], input?: string): Promise<void>;
  /** `cp -r` of a directory, to a new place which it answers. Rejects when a file goes while it is looked at. */
  copy(directory: string): Promise<string>;
  discard(copy: string): void;
}
