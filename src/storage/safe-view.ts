/**
 * How far a reader may look, found without locks.
 *
 * In the boot that wrote it S is exact. Otherwise (another boot, a copy, a directory no klog wrote to, read by somebody who may
 * not settle it) what the disk gives is durable: the whole batches of the last segment count, *if S is still the same
 * afterwards*. If not, a writer has settled and appended meanwhile, and part of what was seen is not yet safe.
 */
import { KlogError } from '../errors.js';
import { BatchScanner, SEQUENTIAL_WINDOW_BYTES } from './batch-scanner.js';
import { CONTROL_FILE_NAME, ControlFile, type ControlState } from './control-file.js';
import type { ControlRecord } from './control-record.js';
import type { FileSystem } from './file-system.js';
import { isOdd, isOfThisBoot, pause } from './log-context.js';
import { segmentFileName } from './log-files.js';
import { listSegments } from './log-segments.js';
import { SYNC_RANGE } from './partition-locks.js';
import type { IndexState } from './segment-index-writer.js';

export interface SafeView {
  /** Everything below is safe; Kafka's high watermark. */
  readonly offset: number;
  readonly segmentBase: number;
  /** Bytes of that segment up to `offset`. */
  readonly position: number;
  readonly logStartOffset: number;
  readonly lastStableOffset: number;
  /** What has been appended, safe or not. */
  readonly logEndOffset: number;
  readonly leaderEpoch: number;
  readonly layoutVersion: number;
  /** How much of the last segment's indexes are entries; `undefined`: what their files hold. */
  readonly index: IndexState | undefined;
  /** Somebody died here or lost power: who may write should settle. */
  readonly unsettled: boolean;
}

/** Looks in a row while both slots are being written, or files are being swapped. */
const LOOKS = 1000;

export class SafeViewer {
  readonly #fs: FileSystem;
  readonly #directory: string;
  #control: ControlFile | undefined;

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  async look(): Promise<SafeView> {
    for (let looks = 0; looks < LOOKS; looks++) {
      const control = await this.#open();
      if (control === undefined) return this.#byTheDisk(undefined, undefined);
      const state = await control.read();
      const { safe } = state;
      const bootId = this.#fs.bootId();
      if (safe !== undefined && isOfThisBoot({ control, bootId }, safe)) {
        if (!isOdd(safe.layoutVersion) || looks === LOOKS - 1) return viewOf(safe, state);
        await pause(looks);
        continue;
      }
      if (safe === undefined && !(await this.#isTornForGood(control))) {
        await pause(looks);
        continue;
      }
      const view = await this.#byTheDisk(control, safe);
      const again = (await control.read()).safe;
      if (again?.sequence === safe?.sequence && sameBoot(again, safe)) return view;
    }
    throw new KlogError('KAFKA_STORAGE_ERROR', 'the control file changes all the time', {
      file: `${this.#directory}/${CONTROL_FILE_NAME}`,
    });
  }

  /** Whether the path still leads to the files that are read. */
  async isCurrent(): Promise<boolean> {
    const there = await this.#fs.stat(`${this.#directory}/${CONTROL_FILE_NAME}`);
    return there?.inode === this.#control?.inode;
  }

  async close(): Promise<void> {
    await this.#control?.close();
    this.#control = undefined;
  }

  async #open(): Promise<ControlFile | undefined> {
    if (this.#control !== undefined) return this.#control;
    try {
      this.#control = await ControlFile.open(this.#fs, this.#directory, 'read');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return this.#control;
  }

  /** A slow look may meet each slot just while it is written: only under the lock is "no S" believed. */
  async #isTornForGood(control: ControlFile): Promise<boolean> {
    if (!control.file.tryLock(SYNC_RANGE, { shared: true })) return false;
    try {
      return (await control.read()).safe === undefined;
    } finally {
      control.file.unlock(SYNC_RANGE);
    }
  }

  async #byTheDisk(control: ControlFile | undefined, safe: ControlRecord | undefined): Promise<SafeView> {
    const bases = await listSegments(this.#fs, this.#directory);
    const own = safe !== undefined && safe.inode === control?.inode ? safe : undefined;
    const first = bases[0] ?? 0;
    let segmentBase = own?.segmentBase ?? bases.at(-1) ?? 0;
    let offset = own?.offset ?? segmentBase;
    let position = own?.position ?? 0;
    for (const base of bases) {
      if (base < segmentBase || (base > segmentBase && base < offset)) continue;
      if (base > segmentBase) {
        if (own !== undefined && base !== offset) break;
        segmentBase = base;
        offset = base;
        position = 0;
      }
      ({ offset, position } = await this.#wholeBatches(base, offset, position));
    }
    return {
      offset,
      segmentBase,
      position,
      logStartOffset: Math.max(safe?.logStartOffset ?? first, first),
      lastStableOffset: safe !== undefined && safe.firstUnstableProducerId >= 0 ? safe.lastStableOffset : offset,
      logEndOffset: offset,
      leaderEpoch: safe?.leaderEpoch ?? 0,
      layoutVersion: safe?.layoutVersion ?? 0,
      index: undefined,
      unsettled: true,
    };
  }

  async #wholeBatches(base: number, from: number, at: number): Promise<{ offset: number; position: number }> {
    const file = await this.#fs.open(`${this.#directory}/${segmentFileName(base, '.log')}`, 'read');
    let offset = from;
    let position = at;
    try {
      const where = { from: at, minOffset: from, windowBytes: SEQUENTIAL_WINDOW_BYTES };
      const scanner = new BatchScanner(file, (await file.stat()).size, where);
      while ((await scanner.next()) && (await scanner.isValid())) {
        offset = scanner.nextOffset;
        position = scanner.position + scanner.size;
      }
    } finally {
      await file.close();
    }
    return { offset, position };
  }
}

function viewOf(safe: ControlRecord, { appended, syncing }: ControlState): SafeView {
  return {
    offset: safe.offset,
    segmentBase: safe.segmentBase,
    position: safe.position,
    logStartOffset: safe.logStartOffset,
    lastStableOffset: safe.lastStableOffset,
    logEndOffset: Math.max(appended?.offset ?? 0, safe.offset),
    leaderEpoch: safe.leaderEpoch,
    layoutVersion: safe.layoutVersion,
    index: safe.index,
    unsettled: syncing || isOdd(safe.layoutVersion) || appended === undefined || appended.offset !== safe.offset,
  };
}

function sameBoot(a: ControlRecord | undefined, b: ControlRecord | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a.bootId, b.bootId) === 0;
}
