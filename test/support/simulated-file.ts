import type { Fate } from './chooser.js';

/** More contents of one dirty sector than this are not told apart: the oldest are forgotten. */
const VERSIONS_KEPT = 6;

/**
 * The bytes of one inode, as the page cache shows them and as the disk holds them.
 *
 * | a sector is | cached, disk | a sync | eviction |
 * |---|---|---|---|
 * | clean | equal | nothing | nothing |
 * | dirty | may differ | writes it, then clean | keeps it |
 * | lost by a failed sync | differ | nothing: "succeeds" | shows the disk's bytes |
 *
 * A dirty sector may have been written back at any time, so each content it had since the last sync may be the disk's.
 */
export class SimulatedFile {
  readonly kind = 'file';
  readonly inode: number;
  modifiedMs = 0;
  /** Raised by every change of bytes or size, cached or durable. */
  revision = 0;
  readonly #sectorBytes: number;
  #cached = new Uint8Array(0);
  #disk = new Uint8Array(0);
  #size = 0;
  #diskSize = 0;
  /** Dirty sectors, each with the contents it had between the last sync and now, oldest first. */
  readonly #dirty = new Map<number, Uint8Array[]>();
  #sizesSinceSync: number[] = [];

  constructor(inode: number, sectorBytes: number) {
    this.inode = inode;
    this.#sectorBytes = sectorBytes;
  }

  get size(): number {
    return this.#size;
  }

  get cachedBytes(): Uint8Array {
    return this.#cached.subarray(0, this.#size);
  }

  /** What a machine that lost power now, and kept nothing unsynced, would find. */
  get durableBytes(): Uint8Array {
    return this.#disk.subarray(0, this.#diskSize);
  }

  /** Whether the last sync did not succeed in making everything durable and nobody will be told again. */
  get hasLostSectors(): boolean {
    for (let sector = 0; sector * this.#sectorBytes < this.#size; sector++) {
      if (!this.#dirty.has(sector) && !equal(this.#sector(this.#cached, sector), this.#sector(this.#disk, sector))) {
        return true;
      }
    }
    return false;
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#size !== this.#diskSize;
  }

  /** Ascending. */
  get dirtySectors(): number[] {
    return [...this.#dirty.keys()].sort((a, b) => a - b);
  }

  read(target: Uint8Array, start: number, length: number, position: number): number {
    const end = Math.max(position, Math.min(this.#size, position + length));
    target.set(this.#cached.subarray(position, end), start);
    return end - position;
  }

  write(source: Uint8Array, start: number, length: number, position: number): void {
    if (length === 0) return;
    this.#reserve(position + length);
    this.#touch(position, position + length);
    this.#cached.set(source.subarray(start, start + length), position);
    this.#setSize(Math.max(this.#size, position + length));
  }

  truncate(size: number): void {
    this.#reserve(size);
    if (size < this.#size) {
      this.#touch(size, this.#size);
      this.#cached.fill(0, size, this.#size);
    }
    this.#setSize(size);
  }

  sync(): void {
    for (const sector of this.#dirty.keys()) this.#toDisk(sector, this.#sector(this.#cached, sector));
    this.#clean(this.#size);
  }

  /** A sync that fails: each dirty sector was written or lost, and all count as clean from now on. */
  failSync(fate: Fate, path: string): void {
    for (const sector of this.dirtySectors) this.#toDisk(sector, this.#fateOf(sector, fate, path));
    const sizes = this.#possibleSizes();
    this.#clean(sizes[sizes.length > 1 ? fate.size(path, sizes.length) : 0]!);
  }

  /** One sector reaches the disk by itself. */
  writeBack(sector: number): void {
    this.#toDisk(sector, this.#sector(this.#cached, sector));
    this.#dirty.delete(sector);
    this.revision++;
  }

  /** The cache drops its clean pages. */
  evict(): void {
    for (let sector = 0; sector * this.#sectorBytes < this.#cached.length; sector++) {
      if (!this.#dirty.has(sector)) this.#sector(this.#cached, sector).set(this.#sector(this.#disk, sector));
    }
    this.#cached.fill(0, this.#size);
    this.revision++;
  }

  losePower(fate: Fate, path: string): void {
    this.failSync(fate, path);
    this.#size = this.#diskSize;
    this.#disk.fill(0, this.#size);
    this.#cached.set(this.#disk);
  }

  clone(): SimulatedFile {
    const copy = new SimulatedFile(this.inode, this.#sectorBytes);
    copy.#cached = this.#cached.slice();
    copy.#disk = this.#disk.slice();
    copy.#size = this.#size;
    copy.#diskSize = this.#diskSize;
    for (const [sector, earlier] of this.#dirty) copy.#dirty.set(sector, [...earlier]);
    copy.#sizesSinceSync = [...this.#sizesSinceSync];
    copy.modifiedMs = this.modifiedMs;
    return copy;
  }

  #fateOf(sector: number, fate: Fate, path: string): Uint8Array {
    const newest = this.#sector(this.#cached, sector);
    const oldest = this.#sector(this.#disk, sector);
    const between: Uint8Array[] = [];
    for (const content of this.#dirty.get(sector)!) {
      if (![oldest, newest, ...between].some((other) => equal(other, content))) between.push(content);
    }
    if (between.length === 0 && equal(oldest, newest)) return newest;
    return [oldest, ...between, newest][fate.sector(path, sector, between.length + 2)]!;
  }

  /** From the durable one to the newest: those it had, and those that end with a sector between the extremes. */
  #possibleSizes(): number[] {
    const had = [this.#diskSize, ...this.#sizesSinceSync, this.#size];
    const low = Math.min(...had);
    const high = Math.max(...had);
    for (let end = low - (low % this.#sectorBytes) + this.#sectorBytes; end < high; end += this.#sectorBytes) {
      had.splice(had.length - 1, 0, end);
    }
    const between = new Set(had.filter((size) => size !== this.#diskSize && size !== this.#size));
    return this.#size === this.#diskSize && between.size === 0
      ? [this.#size]
      : [this.#diskSize, ...between, this.#size];
  }

  #sector(bytes: Uint8Array, sector: number): Uint8Array {
    return bytes.subarray(sector * this.#sectorBytes, (sector + 1) * this.#sectorBytes);
  }

  #toDisk(sector: number, content: Uint8Array): void {
    this.#sector(this.#disk, sector).set(content);
  }

  #clean(diskSize: number): void {
    this.#dirty.clear();
    this.#diskSize = diskSize;
    this.#sizesSinceSync = [];
    this.revision++;
  }

  #touch(from: number, to: number): void {
    for (let sector = Math.floor(from / this.#sectorBytes); sector * this.#sectorBytes < to; sector++) {
      const earlier = this.#dirty.get(sector);
      if (!earlier) this.#dirty.set(sector, []);
      else {
        earlier.push(this.#sector(this.#cached, sector).slice());
        if (earlier.length > VERSIONS_KEPT) earlier.shift();
      }
    }
  }

  #setSize(size: number): void {
    if (size !== this.#size) {
      this.#sizesSinceSync.push(this.#size);
      this.#size = size;
    }
    this.revision++;
  }

  #reserve(size: number): void {
    if (size <= this.#cached.length) return;
    const capacity = Math.ceil(Math.max(size, this.#cached.length * 2) / this.#sectorBytes) * this.#sectorBytes;
    for (const which of ['cached', 'disk'] as const) {
      const grown = new Uint8Array(capacity);
      if (which === 'cached') {
        grown.set(this.#cached);
        this.#cached = grown;
      } else {
        grown.set(this.#disk);
        this.#disk = grown;
      }
    }
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
