/**
 * A judge in a thread of its own, for states that run-faults.ts makes in memory. That one may have a flaw planted in
 * it, the judge has none: two builds of the same sources, so nothing but bytes and text goes from one to the other.
 */
import { parentPort } from 'node:worker_threads';
import { COMPRESSION_TYPES, loadCodec } from '../../../src/format/compression.js';
import { judge } from './judge.js';
import { MemoryDisk, type Names, newContents } from './memory-disk.js';
import type { TreeEntry, TreeState, Verdict } from './tree-state.js';

const ROOT = '/state';

async function judged({ tree, settles, ...rest }: TreeState): Promise<Verdict> {
  let settleKills = 0;
  const count = (tried: number) => {
    settleKills = tried;
  };
  const problem = await judge({ disk: diskOf(tree), ...rest }, settles ? count : undefined);
  return { problem, settleKills };
}

function diskOf(tree: readonly TreeEntry[]): MemoryDisk {
  const top: Names = new Map();
  const directories = new Map<string, Names>([['', top]]);
  for (const [path, bytes] of tree) {
    const slash = path.lastIndexOf('/');
    const names = directories.get(path.slice(0, Math.max(slash, 0)))!;
    const name = path.slice(slash + 1);
    if (bytes === undefined) {
      const below: Names = new Map();
      names.set(name, below);
      directories.set(path, below);
    } else names.set(name, newContents(name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)));
  }
  return new MemoryDisk(ROOT, top);
}

Error.stackTraceLimit = 0;
for (const type of COMPRESSION_TYPES) if (type !== 'none') await loadCodec(type);
parentPort!.on('message', (state: TreeState) => {
  void judged(state).then((verdict) => parentPort!.postMessage(verdict));
});
parentPort!.postMessage('ready');
