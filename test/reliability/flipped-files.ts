/** Files as they are on the disk, but for one bit: in memory, so that a look at a whole partition takes a moment. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileStat, FileSystem, OpenFile } from '../../src/storage/file-system.js';
import { nodeFileSystem } from '../../src/storage/file-system-node.js';

interface HeldFile {
  readonly bytes: Buffer;
  readonly stat: FileStat;
}

export class FlippedFiles implements FileSystem {
  readonly #files = new Map<string, HeldFile>();
  readonly #directories = new Map<string, string[]>();

  constructor(root: string) {
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      this.#directories.set(entry.parentPath, [...(this.#directories.get(entry.parentPath) ?? []), entry.name]);
      if (!entry.isFile()) continue;
      this.#files.set(path, { bytes: readFileSync(path), stat: nodeFileSystem.stat(path) as FileStat });
    }
  }

  sizeOf(path: string): number {
    return this.#held(path).bytes.length;
  }

  /** Flips it; a second time, back. */
  flip(path: string, bit: number): void {
    const { bytes } = this.#held(path);
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
  }

  open(path: string): OpenFile {
    const { bytes, stat } = this.#held(path);
    const refuse = () => {
      throw new Error(`${path} is only to be read`);
    };
    return {
      path,
      read: (buffer, start, length, position) =>
        bytes.copy(buffer, start, position, Math.min(bytes.length, position + length)),
      write: refuse,
      truncate: refuse,
      sync: refuse,
      stat: () => stat,
      close: () => {},
      tryLock: () => true,
      waitLock: async () => {},
      unlock: () => {},
    };
  }

  stat(path: string): FileStat | undefined {
    return (
      this.#files.get(path)?.stat ?? (this.#directories.has(path) ? (nodeFileSystem.stat(path) as FileStat) : undefined)
    );
  }

  readDirectory(path: string): string[] {
    return [...(this.#directories.get(path) ?? [])];
  }

  bootId(): Uint8Array {
    return nodeFileSystem.bootId();
  }

  makeDirectory = refused;
  removeDirectory = refused;
  rename = refused;
  unlink = refused;
  syncDirectory = refused;

  watch(): undefined {
    return undefined;
  }

  #held(path: string): HeldFile {
    const held = this.#files.get(path);
    if (held !== undefined) return held;
    throw Object.assign(new Error(`ENOENT: ${path} in ${dirname(path)}`), { code: 'ENOENT' });
  }
}

function refused(): never {
  throw new Error('nothing is changed here');
}
