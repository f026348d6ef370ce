import type { Fate } from './chooser.js';

interface NameSet {
  readonly directory: number;
  readonly name: string;
  /** The inode the name leads to from now on; `undefined`: none. */
  readonly inode: number | undefined;
}

interface NameChange {
  readonly description: string;
  /** Happens as one: a rename is two. */
  readonly sets: readonly NameSet[];
}

/**
 * The names of a file system, as programs see them and as the disk holds them. A change of names is durable after a
 * sync of a directory it touches; before that a power loss takes or leaves each change by itself, in whatever order.
 */
export class SimulatedNames {
  #cached = new Map<number, Map<string, number>>();
  #disk = new Map<number, Map<string, number>>();
  #pending: NameChange[] = [];

  addDirectory(inode: number): void {
    this.#cached.set(inode, new Map());
    this.#disk.set(inode, new Map());
  }

  entries(directory: number, view: 'cached' | 'durable' = 'cached'): ReadonlyMap<string, number> {
    return (view === 'cached' ? this.#cached : this.#disk).get(directory) ?? new Map();
  }

  change(description: string, ...sets: NameSet[]): void {
    for (const set of sets) apply(this.#cached, set);
    this.#pending.push({ description, sets });
  }

  sync(directory: number): void {
    this.#flush((change) => change.sets.some((set) => set.directory === directory));
  }

  /** Some of the changes became durable; the others still may. */
  failSync(directory: number, fate: Fate): void {
    this.#flush((change) => change.sets.some((set) => set.directory === directory) && fate.name(change.description));
  }

  losePower(fate: Fate): void {
    for (const change of this.#pending) {
      if (fate.name(change.description)) for (const set of change.sets) apply(this.#disk, set);
    }
    this.#pending = [];
    this.#cached = copyOf(this.#disk);
  }

  /** Inodes that some name, seen or durable or on its way to the disk, leads to. */
  reachable(): Set<number> {
    const inodes = new Set<number>();
    for (const names of [...this.#cached.values(), ...this.#disk.values()]) {
      for (const inode of names.values()) inodes.add(inode);
    }
    for (const { sets } of this.#pending) for (const { inode } of sets) if (inode !== undefined) inodes.add(inode);
    return inodes;
  }

  clone(): SimulatedNames {
    const copy = new SimulatedNames();
    copy.#cached = copyOf(this.#cached);
    copy.#disk = copyOf(this.#disk);
    copy.#pending = [...this.#pending];
    return copy;
  }

  /** A change goes to the disk together with the earlier ones of the same names, or their order would turn round. */
  #flush(wanted: (change: NameChange) => boolean): void {
    const flushed = new Set<NameChange>();
    for (let i = this.#pending.length - 1; i >= 0; i--) {
      const change = this.#pending[i]!;
      const later = [...flushed].some((other) => touchesSameName(change, other));
      if (later || wanted(change)) flushed.add(change);
    }
    for (const change of this.#pending) {
      if (flushed.has(change)) for (const set of change.sets) apply(this.#disk, set);
    }
    this.#pending = this.#pending.filter((change) => !flushed.has(change));
  }
}

function apply(names: Map<number, Map<string, number>>, { directory, name, inode }: NameSet): void {
  if (inode === undefined) names.get(directory)?.delete(name);
  else names.get(directory)?.set(name, inode);
}

function touchesSameName(a: NameChange, b: NameChange): boolean {
  return a.sets.some((one) => b.sets.some((other) => one.directory === other.directory && one.name === other.name));
}

function copyOf(names: Map<number, Map<string, number>>): Map<number, Map<string, number>> {
  return new Map([...names].map(([directory, entries]) => [directory, new Map(entries)]));
}
