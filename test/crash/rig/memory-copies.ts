/** `cp -r` on a disk in memory: a file at a time, in any order, while others go on. */
import type { MemoryFileSystem } from './memory-file-system.js';

/** Turns that others have between two files, at most. */
const MOST_TURNS = 4;

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
    const names = this.#files.readDirectory(from).map((name) => ({ name, at: this.#random() }));
    for (const { name } of names.sort((a, b) => a.at - b.at)) {
      for (let turns = this.#random() * MOST_TURNS; turns > 1; turns--) await new Promise((go) => setImmediate(go));
      const [source, target] = [`${from}/${name}`, `${to}/${name}`];
      const stat = this.#files.stat(source);
      if (stat === undefined) throw new Error(`cp: cannot stat '${source}': No such file or directory`);
      if (stat.kind === 'directory') await this.#copyTree(source, target);
      else this.#copyFile(source, target, stat.size);
    }
  }

  #copyFile(source: string, target: string, size: number): void {
    const bytes = Buffer.alloc(size);
    void this.#files.open(source, 'read').read(bytes, 0, size, 0);
    void this.#files.open(target, 'create-new').write(bytes, 0, size, 0);
  }
}
