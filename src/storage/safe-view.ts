/**
 * How far a reader may look, found without locks.
 *
 * In the boot that wrote it S is exact. Otherwise (another boot, a copy, a directory no klog wrote to, read by somebody
 * who may not settle it) what the disk gives is durable: the whole batches of the last segment count, *if S is still
 * the same afterwards*. If not, a writer has settled and appended meanwhile, and part of what was seen is not yet safe.
 */
import { KlogError } from '../errors.js';
import { BatchScanner, SEQUENTIAL_WINDOW_BYTES } from './batch-scanner.js';
import { CONTROL_FILE_NAME, ControlFile, type ControlState } from './control-file.js';
import type { ControlRecord } from './control-record.js';
import { withoutOverlaps } from './covered-segments.js';
import type { FileSystem, OpenFile } from './file-system.js';
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
  /** Raised whenever what was appended was cut back. */
  readonly cutCount: number;
  readonly layoutVersion: number;
  /** While the layout is odd: the segment that others are being exchanged for, -1 none. */
  readonly swappedBase: number;
  /** How much of the last segment's indexes are entries; `undefined`: what their files hold. */
  readonly index: IndexState | undefined;
  /** Somebody died here or lost power: who may write should settle. */
  readonly unsettled: boolean;
  /** S is that of another file: what there is is a copy, perhaps made while segments were exchanged. Default false. */
  readonly isCopy?: boolean;
}

interface Place {
  readonly segmentBase: number;
  readonly offset: number;
  readonly position: number;
}

/** Looks in a row while both slots are being written, or files are being swapped. */
const LOOKS = 1000;
/** So many looks find an odd layout, or no S, before the sync lock is asked whether anybody is still at it. */
const BUSY_LOOKS = 20;
/** Without S one waits for who holds the sync lock, and may be going through a whole segment. */
const LONGEST_WAIT_MS = 30_000;

export class SafeViewer {
  readonly #fs: FileSystem;
  readonly #directory: string;
  #control: ControlFile | undefined;
  /** How far the last walk came, and from which S: as long as that stands, the next one goes on from there. */
  #walked: (Place & { readonly sequence: number | undefined }) | undefined;

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs;
    this.#directory = directory;
  }

  async look(): Promise<SafeView> {
    const start = performance.now();
    for (let looks = 0; looks < LOOKS || performance.now() - start < LONGEST_WAIT_MS; looks++) {
      const control = await this.#open();
      if (control === undefined) {
        const view = await this.#byTheDisk(undefined, undefined);
        if (view !== undefined) return view;
        await pause(looks);
        continue;
      }
      const state = await control.read();
      const { safe } = state;
      const bootId = this.#fs.bootId();
      if (safe !== undefined && isOfThisBoot({ control, bootId }, safe)) {
        if (!isOdd(safe.layoutVersion) || looks === LOOKS - 1) return viewOf(safe, state);
        // Whoever was rolling has died: the layout stays odd until somebody settles, and S is right.
        if (looks >= BUSY_LOOKS && (await this.#isLeftBehind(control, safe))) return viewOf(safe, state);
        await pause(looks);
        continue;
      }
      if (safe === undefined && !(await this.#isTornForGood(control))) {
        await pause(looks);
        continue;
      }
      const view = await this.#byTheDisk(control, safe);
      if (view === undefined) {
        await pause(looks);
        continue;
      }
      const again = (await control.read()).safe;
      if (again?.sequence === safe?.sequence && sameBoot(again, safe)) return view;
    }
    throw new KlogError('KAFKA_STORAGE_ERROR', 'the control file changes all the time', {
      file: `${this.#directory}/${CONTROL_FILE_NAME}`,
    });
  }

  /** Whether the path still leads to the files that are read. */
  async isCurrent(): Promise<boolean> {
    if (this.#control === undefined) return (await this.#fs.stat(this.#directory)) !== undefined;
    return await this.#control.isCurrent(this.#fs);
  }

  /** That of S as it is now, whatever else it says. */
  async layoutVersion(): Promise<number> {
    const control = await this.#open();
    return (await control?.read())?.safe?.layoutVersion ?? 0;
  }

  async close(): Promise<void> {
    const control = this.#control;
    this.#control = undefined;
    this.#walked = undefined;
    await control?.close();
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

  /** Whether nobody holds the sync lock, and S is still the same. */
  async #isLeftBehind(control: ControlFile, safe: ControlRecord): Promise<boolean> {
    if (!control.file.tryLock(SYNC_RANGE, { shared: true })) return false;
    try {
      return (await control.read()).safe?.sequence === safe.sequence;
    } finally {
      control.file.unlock(SYNC_RANGE);
    }
  }

  /** `undefined`: a file went away meanwhile, somebody is settling. */
  async #byTheDisk(control: ControlFile | undefined, safe: ControlRecord | undefined): Promise<SafeView | undefined> {
    const own = safe !== undefined && safe.identity === control?.identity ? safe : undefined;
    const isCopy = safe !== undefined && own === undefined;
    let bases = await listSegments(this.#fs, this.#directory);
    if (isCopy) bases = await withoutOverlaps(this.#fs, this.#directory, bases);
    const first = bases[0] ?? 0;
    let { segmentBase, offset, position } = this.#walkFrom(own, bases, safe?.sequence);
    for (const base of bases) {
      if (base < segmentBase || (base > segmentBase && base < offset)) continue;
      if (base > segmentBase) {
        if (own !== undefined && base !== offset) break;
        segmentBase = base;
        offset = base;
        position = 0;
      }
      const end = await this.#wholeBatches(base, offset, position, own !== undefined);
      if (end === undefined) return undefined;
      ({ offset, position } = end);
    }
    this.#walked = { segmentBase, offset, position, sequence: safe?.sequence };
    return {
      offset,
      segmentBase,
      position,
      logStartOffset: Math.max(safe?.logStartOffset ?? first, first),
      lastStableOffset: safe !== undefined && safe.firstUnstableProducerId >= 0 ? safe.lastStableOffset : offset,
      logEndOffset: offset,
      leaderEpoch: safe?.leaderEpoch ?? 0,
      cutCount: safe?.cutCount ?? 0,
      layoutVersion: safe?.layoutVersion ?? 0,
      swappedBase: safe?.swappedBase ?? -1,
      index: undefined,
      unsettled: true,
      isCopy,
    };
  }

  /** What was whole stays so until somebody settles, and then S is another. */
  #walkFrom(own: ControlRecord | undefined, bases: readonly number[], sequence: number | undefined): Place {
    const walked = this.#walked;
    const last = bases.at(-1) ?? 0;
    if (walked?.sequence === sequence && walked !== undefined && (own !== undefined || walked.segmentBase === last)) {
      return walked;
    }
    return own ?? { segmentBase: last, offset: last, position: 0 };
  }

  /** @param isDense a batch that leaves out offsets ends it, as it does when this is settled */
  async #wholeBatches(
    base: number,
    from: number,
    at: number,
    isDense: boolean,
  ): Promise<{ readonly offset: number; readonly position: number } | undefined> {
    let file: OpenFile;
    try {
      file = await this.#fs.open(`${this.#directory}/${segmentFileName(base, '.log')}`, 'read');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    let offset = from;
    let position = at;
    try {
      const where = { from: at, minOffset: from, windowBytes: SEQUENTIAL_WINDOW_BYTES };
      const scanner = new BatchScanner(file, (await file.stat()).size, where);
      while ((await scanner.next()) && (await scanner.isValid())) {
        if (isDense && scanner.baseOffset !== offset) break;
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
    cutCount: safe.cutCount,
    layoutVersion: safe.layoutVersion,
    swappedBase: safe.swappedBase,
    index: safe.index,
    unsettled: syncing || isOdd(safe.layoutVersion) || appended === undefined || appended.offset !== safe.offset,
  };
}

function sameBoot(a: ControlRecord | undefined, b: ControlRecord | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a.bootId, b.bootId) === 0;
}
