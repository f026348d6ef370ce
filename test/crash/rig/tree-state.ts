/** A state on its way to a judge: nothing but bytes and text. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MemoryDisk } from './memory-disk.js';

/** A path below the root, parents first; `undefined`: a directory. */
export type TreeEntry = readonly [path: string, bytes: Uint8Array | undefined];

/** As in judge.ts. */
export interface TreeState {
  readonly tree: readonly TreeEntry[];
  readonly said: string;
  readonly mode: string;
  readonly rc: number;
  readonly hit: string;
  readonly complained: number;
  readonly warned: boolean;
  /** Settling is killed at each of its calls, too. */
  readonly settles: boolean;
}

/** Of the warnings of klog (src/store/upkeep-queue.ts). */
export const UPKEEP_FAILED = /\bupkeep of \S+ failed\b/;

export interface Verdict {
  /** `undefined`: nothing is wrong. */
  readonly problem: string | undefined;
  readonly settleKills: number;
}

export function treeOf(disk: MemoryDisk): TreeEntry[] {
  const directories = [...disk.directories()].map((path) => [path, undefined] as const);
  return [...directories, ...[...disk.files()].map(([path, { bytes }]) => [path, bytes] as const)];
}

/** To be judged once more: `npm run torture -- --check DIRECTORY/dir DIRECTORY/stdout`. */
export function keepTree({ tree, said }: TreeState, directory: string): void {
  mkdirSync(join(directory, 'dir'), { recursive: true });
  for (const [path, bytes] of tree) {
    const to = join(directory, 'dir', path);
    mkdirSync(bytes === undefined ? to : dirname(to), { recursive: true });
    if (bytes !== undefined) writeFileSync(to, bytes);
  }
  writeFileSync(join(directory, 'stdout'), said, 'latin1');
}
