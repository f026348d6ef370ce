/**
 * `cp -r` on a disk in memory: a file at a time, while others go on. The order is that of a file system: by name,
 * either way, or any. Between two files little happens, or much.
 */
import type { MemoryFileSystem } from './memory-file-system.js';

/** Turns that others have between two files, at most: enough for a few of their calls, or for a whole compaction. */
const FEW_TURNS = 4;
const MANY_TURNS = 400;
/** Before one of so many files there are many. */
const MANY_EVERY = 12;

export class MemoryCopies {
  readonly #files: MemoryFileSystem;
  readonly #random: () => number;
  #count = 0;

  constructor(files: MemoryFileSystem, random: () => number) {
    this.#files = files;
    this.#random = random;
  }

  async copy(directory: string): Promise<string> {
    const into = `${this.#files.root}/copy-${++this.#count}`;
    try {
      await this.#copyTree(directory, into);
    } catch (error) {
      this.discard(into);
      throw error;
    }
    return into;
  }

  discard(path: string): void {
    const stat = this.#files.stat(path);
    if (stat?.kind === 'file') this.#files.unlink(path);
    if (stat?.kind !== 'directory') return;
    for (const name of this.#files.readDirectory(path)) this.discard(`${path}/${name}`);
    this.#files.removeDirectory(path);
  }

  async #copyTree(from: string, to: string): Promise<void> {
    this.#files.makeDirectory(to);
    for (const name of this.#inSomeOrder(this.#files.readDirectory(from))) {
      const most = this.#random() * MANY_EVERY < 1 ? MANY_TURNS : FEW_TURNS;
      for (let turns = this.#random() * most; turns > 1; turns--) await new Promise((go) => setImmediate(go));
      const [source, target] = [`${from}/${name}`, `${to}/${name}`];
      const stat = this.#files.stat(source);
      if (stat === undefined) throw new Error(`cp: cannot stat '${source}': No such file or directory`);
      if (stat.kind === 'directory') await this.#copyTree(source, target);
      else this.#copyFile(source, target, stat.size);
    }
  }

  #inSomeOrder(names: readonly string[]): readonly string[] {
    const order = Math.floor(this.#random() * 3);
    if (order < 2) return [...names].sort((a, b) => (a < b ? -1 : 1) * (order === 0 ? 1 : -1));
    const places = names.map((name) => ({ name, at: this.#random() }));
    return places.sort((a, b) => a.at - b.at).map(({ name }) => name);
  }

  #copyFile(source: string, target: string, size: number): void {
    const bytes = Buffer.alloc(size);
    void this.#files.open(source, 'read').read(bytes, 0, size, 0);
    void this.#files.open(target, 'create-new').write(bytes, 0, size, 0);
  }
}
