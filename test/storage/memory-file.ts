import type { FileStat, OpenFile } from '../../src/storage/file-system.js';

/** A file of one test, in memory, which counts what is read. */
export class MemoryFile implements OpenFile {
  readonly path: string;
  bytes: Buffer;
  reads = 0;
  bytesRead = 0;

  constructor(bytes: Uint8Array = new Uint8Array(0), path = '/memory') {
    this.bytes = Buffer.from(bytes);
    this.path = path;
  }

  read(buffer: Uint8Array, start: number, length: number, position: number): number {
    if (length < 0 || start + length > buffer.length) throw new RangeError(`read of ${length} at ${start}`);
    this.reads++;
    const piece = this.bytes.subarray(position, position + length);
    buffer.set(piece, start);
    this.bytesRead += piece.length;
    return piece.length;
  }

  write(buffer: Uint8Array, start: number, length: number, position: number): number {
    const end = position + length;
    if (end > this.bytes.length) this.truncate(end);
    this.bytes.set(buffer.subarray(start, start + length), position);
    return length;
  }

  truncate(size: number): void {
    const bytes = Buffer.alloc(size);
    this.bytes.copy(bytes);
    this.bytes = bytes;
  }

  stat(): FileStat {
    return { kind: 'file', size: this.bytes.length, inode: 1, modifiedMs: 0, uid: 0, mode: 0o600 };
  }

  sync(): void {}
  close(): void {}
  tryLock(): boolean {
    throw new Error('not locked in these tests');
  }
  waitLock(): Promise<void> {
    throw new Error('not locked in these tests');
  }
  unlock(): void {}
}
