/**
 * `klog.end`, the control file of a partition: 4 KiB, allocated when the partition is made, never renamed.
 *
 * ```
 *    0  A, slot 0      512  A, slot 1      what is appended; written under the append lock
 * 1024  S, slot 0     1536  S, slot 1      what is safe (synced); written under the sync lock
 * 2048  syncing        one byte: 1 while a data sync runs, and for ever after one that failed
 * 4096  lock ranges    queue, append, sync, upkeep: one byte each, past the data (partition-locks.ts); behind them
 *                      the gates (leader-gates.ts)
 * ```
 *
 * Each slot has a sector of its own, so that a torn write of one cannot harm another. A record goes to the slot that
 * does not hold the newest valid one: a reader without a lock meets at most one slot in the making, and a crash leaves
 * the older record whole.
 */

import { crc32c } from '../format/crc32c.js';
import {
  CONTROL_RECORD_SIZE,
  type ControlRecord,
  compareSequences,
  decodeControlRecord,
  encodeControlRecord,
} from './control-record.js';
import type { FileStat, FileSystem, OpenFile } from './file-system.js';
import { writeFully } from './file-system.js';

export const CONTROL_FILE_NAME = 'klog.end';
export const CONTROL_FILE_SIZE = 4096;
const SLOT_SIZE = 512;
const APPENDED_AT = 0;
const SAFE_AT = 1024;
const SYNCING_AT = 2048;
const READ_SIZE = SYNCING_AT + 1;

/** What one look at the file shows. `undefined`: neither slot is valid. */
export interface ControlState {
  readonly appended: ControlRecord | undefined;
  readonly safe: ControlRecord | undefined;
  readonly syncing: boolean;
}

/**
 * Tells a file or a directory from every copy of it. The inode number alone does not: it is given to another once it is
 * free, and who removes a directory and brings it back from a copy mostly gets the same ones. So the time at which it
 * was made is in it: 21 bits of the number, and a checksum of the time.
 */
export function identityOf({ inode, bornMs }: Pick<FileStat, 'inode' | 'bornMs'>): number {
  if (bornMs === undefined) return inode;
  const time = Buffer.alloc(8);
  time.writeDoubleBE(bornMs);
  return (inode % 2 ** 21) * 2 ** 32 + crc32c(time, 0, time.length);
}

/** The two slots of one record: read together, written in turn. */
class SlotPair {
  readonly #file: OpenFile;
  readonly #at: number;
  readonly #slot = Buffer.alloc(CONTROL_RECORD_SIZE);
  readonly #both = Buffer.alloc(SLOT_SIZE + CONTROL_RECORD_SIZE);
  /** The highest sequence that was seen or written, and which slot had it. */
  #highest = 0;
  #newestSlot: 0 | 1 | undefined;

  constructor(file: OpenFile, at: number) {
    this.#file = file;
    this.#at = at;
  }

  /**
   * The newest valid record among `bytes` of the file. One with a lower sequence than one seen before means that the
   * page of this file was lost (its write-back failed): it then counts as missing.
   */
  newest(bytes: Buffer): ControlRecord | undefined {
    // Most looks find the higher sequence in a valid record, and need not decode the other.
    let isSecond = compareSequences(bytes, this.#at + SLOT_SIZE, this.#at) > 0;
    let record = this.#decode(bytes, isSecond);
    if (record === undefined) {
      isSecond = !isSecond;
      record = this.#decode(bytes, isSecond);
    }
    if (record === undefined || record.sequence < this.#highest) {
      this.#newestSlot = undefined;
      return undefined;
    }
    this.#highest = record.sequence;
    this.#newestSlot = isSecond ? 1 : 0;
    return record;
  }

  #decode(bytes: Buffer, isSecond: boolean): ControlRecord | undefined {
    return decodeControlRecord(bytes, isSecond ? this.#at + SLOT_SIZE : this.#at);
  }

  /**
   * The lock is held, so what stands here is what this process or an earlier holder left. A record that goes on from
   * the newest, which was read under the same lock, has its sequence: then it is known where that stands.
   */
  async write(record: ControlRecord): Promise<void> {
    const isNext = record.sequence === this.#highest;
    const newest = isNext && this.#newestSlot !== undefined ? this.#newestSlot : await this.#look();
    const slot = newest === 0 ? 1 : 0;
    record.sequence = this.#highest + 1;
    encodeControlRecord(record, this.#slot, 0);
    await writeFully(this.#file, this.#slot, 0, CONTROL_RECORD_SIZE, this.#at + slot * SLOT_SIZE);
    this.#highest = record.sequence;
    this.#newestSlot = slot;
  }

  /** Which slot has the newest record; 1 where there is none. */
  async #look(): Promise<0 | 1> {
    const both = this.#both;
    const length = await this.#file.read(both, 0, both.length, this.#at);
    if (length < both.length) both.fill(0, length);
    const first = decodeControlRecord(both, 0)?.sequence ?? 0;
    const second = decodeControlRecord(both, SLOT_SIZE)?.sequence ?? 0;
    this.#highest = Math.max(this.#highest, first, second);
    return first > second ? 0 : 1;
  }
}

export class ControlFile {
  readonly file: OpenFile;
  /** What S names the file by: {@link identityOf}. */
  readonly identity: number;
  readonly #inode: number;
  readonly #bytes = Buffer.allocUnsafe(READ_SIZE);
  readonly #flag = Buffer.allocUnsafe(1);
  readonly #appended: SlotPair;
  readonly #safe: SlotPair;

  constructor(file: OpenFile, stat: FileStat) {
    this.file = file;
    this.identity = identityOf(stat);
    this.#inode = stat.inode;
    this.#appended = new SlotPair(file, APPENDED_AT);
    this.#safe = new SlotPair(file, SAFE_AT);
  }

  /**
   * With `create` a missing file (a broker's directory, say) is made; it then holds neither A nor S, and is settled.
   */
  static async open(fs: FileSystem, directory: string, mode: 'read' | 'write' | 'create'): Promise<ControlFile> {
    const file = await fs.open(`${directory}/${CONTROL_FILE_NAME}`, mode);
    try {
      const stat = await file.stat();
      // No lock is held: another opener may have settled the log since, and zeros written here would take its A and S
      // away.
      if (mode !== 'read' && stat.size < CONTROL_FILE_SIZE) await file.truncate(CONTROL_FILE_SIZE);
      return new ControlFile(file, stat);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Whether the path still leads to this file: after a delete, or a delete and create, it does not. */
  async isCurrent(fs: FileSystem): Promise<boolean> {
    const there: FileStat | undefined = await fs.stat(this.file.path);
    return there !== undefined && there.inode === this.#inode;
  }

  /** One look, without a lock. */
  async read(): Promise<ControlState> {
    const bytes = await this.#look();
    return {
      appended: this.#appended.newest(bytes),
      safe: this.#safe.newest(bytes),
      syncing: bytes[SYNCING_AT] !== 0,
    };
  }

  /** S alone: one look, without a lock. */
  async readSafe(): Promise<ControlRecord | undefined> {
    return this.#safe.newest(await this.#look());
  }

  async #look(): Promise<Buffer> {
    const bytes = this.#bytes;
    const length = await this.file.read(bytes, 0, READ_SIZE, 0);
    if (length < READ_SIZE) bytes.fill(0, length);
    return bytes;
  }

  /** The append lock is held. */
  async writeAppended(record: ControlRecord): Promise<void> {
    await this.#appended.write(record);
  }

  /** The sync lock is held. */
  async writeSafe(record: ControlRecord): Promise<void> {
    await this.#safe.write(record);
  }

  /** The sync lock is held. Stays set when a data sync fails: whoever finds it settles (log-settle.ts). */
  async setSyncing(syncing: boolean): Promise<void> {
    this.#flag[0] = syncing ? 1 : 0;
    await writeFully(this.file, this.#flag, 0, 1, SYNCING_AT);
  }

  /** Makes A and S themselves durable. */
  async sync(): Promise<void> {
    await this.file.sync();
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
