import { describeLock } from './scheduler.js';
import type { SimulatedCall } from './simulated-call.js';
import type { SimulatedDisk } from './simulated-disk.js';
import type { SimulatedFile } from './simulated-file.js';

/** A whole batch found in a log. */
export interface SeenBatch {
  readonly baseOffset: number;
  /** The offset behind its last record. */
  readonly nextOffset: number;
  readonly bytes: Uint8Array;
  /** Names what the producer sent, wherever it lands: equal only for the same send. */
  readonly identity: string;
}

/** The part of a segment that is whole. */
export interface WalkedBatches {
  readonly batches: readonly SeenBatch[];
  /** Position behind the last whole batch; what is there is torn or nothing. */
  readonly end: number;
}

/** How to look at one kind of log. Each look is at bytes only, never through the code under test. */
export interface LogView {
  /** Directory of the partition. */
  readonly directory: string;
  /** The base offset that a segment's file name says; `undefined`: no segment. */
  segmentBase(name: string): number | undefined;
  /** Walks from the file's start and stops at the first bytes that are no whole batch. */
  walk(bytes: Uint8Array): WalkedBatches;
  /** Offset up to which everything is published, by what stands in the directory; `undefined`: it says nothing. */
  safeEnd(disk: SimulatedDisk, directory: string): number | undefined;
  /** Who writes to a segment holds this lock of this file beside it. */
  readonly appendLock?: { readonly file: string; readonly start: number };
}

interface Promised {
  readonly batch: SeenBatch;
  /** How it was promised, for the message. */
  readonly how: string;
}

/**
 * The ghost `promised` of the protocol's models: what was acknowledged, shown to a reader, or published. Whoever raises
 * it must find those batches on the disk; nobody may take them back.
 *
 * | | | checked |
 * |---|---|---|
 * | I1, I2 | promised batches stay readable, once, at their offset, with their bytes | after each step |
 * | I3 | S never goes back below what was promised | after each step, and over a power loss |
 * | I4 | offsets are dense; nothing is appended but to the end of the last segment, behind whole batches, by the holder of the log's own lock | before each write to a segment |
 * | I5 | what is promised is on the disk, names included | when promised, and after each step |
 * | I6 | every end is a settled log with free locks; no deadlock | at the end, and by the scheduler |
 * | I7 | S is the end of a whole batch, with whole batches below | when it changes |
 */
export class PromisedLog {
  readonly #disk: SimulatedDisk;
  readonly #view: LogView;
  readonly #promised = new Map<number, Promised>();
  #end = 0;
  #lookedAt = -1;
  /** What the last look at a segment found. */
  readonly #walks = {
    cached: new WeakMap<SimulatedFile, { readonly revision: number; readonly batches: readonly SeenBatch[] }>(),
    durable: new WeakMap<SimulatedFile, { readonly revision: number; readonly batches: readonly SeenBatch[] }>(),
  };
  /** The batch that a process is in the middle of writing, by file: continuing it is no append behind torn bytes. */
  readonly #writing = new Map<string, { process: object; start: number; end: number }>();

  constructor(disk: SimulatedDisk, view: LogView) {
    this.#disk = disk;
    this.#view = view;
  }

  /** Offset behind everything that was promised. */
  get end(): number {
    return this.#end;
  }

  /** The batch at this offset was acknowledged as durable to whoever sent `identity`. */
  acknowledged(baseOffset: number, identity: string): void {
    const batch = this.#batches('cached').find((it) => it.baseOffset === baseOffset);
    if (!batch) fail('I1', `offset ${baseOffset} was acknowledged and is not in the log`);
    if (batch.identity !== identity) {
      fail('I1', `offset ${baseOffset} was acknowledged to ${identity} and holds ${batch.identity}`);
    }
    this.#promise(batch, `acknowledged to ${identity}`, this.#byOffset('durable'));
  }

  /** A reader gave these bytes away. */
  shown(batch: SeenBatch, reader: string): void {
    this.#promise(batch, `shown to ${reader}`, this.#byOffset('durable'));
  }

  /** Before each write: I4. With evictions in play lost bytes may be below, unnoticed: leave it out then. */
  readonly beforeWrite = (call: SimulatedCall): void => {
    const { file } = call;
    const name = call.path.slice(this.#view.directory.length + 1);
    const base = this.#view.segmentBase(name);
    if (call.name !== 'write' || base === undefined || !file) return;
    if (this.#disk.file(`${this.#view.directory}/${name}`) !== file) return;
    this.#mustHoldAppendLock(call, name);
    const before = file.cachedBytes;
    const sameBytes = before.subarray(call.position, call.position + call.length);
    if (sameBytes.length === call.length && Buffer.compare(sameBytes, call.bytes!) === 0) return;
    if (call.position !== before.length) {
      fail('I4', `a write at ${call.position} of ${name}, which ends at ${before.length}`);
    }
    const later = this.#segments('cached').find((segment) => segment.base > base);
    if (later) fail('I4', `a write to ${name}, but the log goes on with ${later.name}`);
    const last = this.#writing.get(call.path);
    let start = call.position;
    let { batches, end } = this.#view.walk(before.subarray(0, start));
    // After a short write the rest follows; how short it was is not known here.
    if (end < start && last?.process === call.process && call.position > last.start && call.position <= last.end) {
      start = last.start;
      ({ batches, end } = this.#view.walk(before.subarray(0, start)));
    }
    if (end !== start) fail('I4', `a write at ${start} of ${name}, but the whole batches end at ${end}`);
    const next = batches.at(-1)?.nextOffset ?? base;
    const after = new Uint8Array(call.position + call.length);
    after.set(before.subarray(0, call.position));
    after.set(call.bytes!, call.position);
    const written = this.#view.walk(after).batches[batches.length];
    if (written && written.baseOffset !== next) {
      fail('I4', `a batch with offset ${written.baseOffset} is appended to ${name}, which ends at offset ${next}`);
    }
    this.#writing.set(call.path, { process: call.process, start, end: call.position + call.length });
  };

  /** After each step: I1, I2, I3, I5, I7. Looks again only when something changed. */
  readonly afterStep = (): void => {
    if (this.#disk.revision === this.#lookedAt) return;
    this.#lookedAt = this.#disk.revision;
    const cached = this.#byOffset('cached');
    const durable = this.#byOffset('durable');
    const safeEnd = this.#view.safeEnd(this.#disk, this.#view.directory);
    if (safeEnd !== undefined) this.#publish(safeEnd, cached, durable);
    for (const promised of this.#promised.values()) {
      this.#mustHold(promised, cached, 'I1', 'in the log');
      this.#mustHold(promised, durable, 'I5', 'on the disk');
    }
  };

  /** When everything has stopped: I6, and each send is there at most once. */
  readonly afterAll = (): void => {
    this.#lookedAt = -1;
    this.afterStep();
    const held = this.#disk.heldLocks();
    if (held.length > 0) fail('I6', `locks are held by nobody's work: ${held.map(describeLock).join('; ')}`);
    const seen = new Map<string, number>();
    let next: number | undefined;
    for (const batch of this.#batches('cached')) {
      if (next !== undefined && batch.baseOffset !== next) {
        fail('I4', `offset ${next} is missing: the next batch begins at ${batch.baseOffset}`);
      }
      next = batch.nextOffset;
      const other = seen.get(batch.identity);
      if (other !== undefined) fail('I1', `${batch.identity} is in the log twice, at ${other} and ${batch.baseOffset}`);
      seen.set(batch.identity, batch.baseOffset);
    }
  };

  #mustHoldAppendLock(call: SimulatedCall, name: string): void {
    const { appendLock, directory } = this.#view;
    if (!appendLock) return;
    const inode = this.#disk.file(`${directory}/${appendLock.file}`)?.inode;
    const holds = this.#disk
      .heldLocks()
      .some((lock) => lock.process === call.process && lock.inode === inode && lock.start === appendLock.start);
    if (!holds) fail('I4', `a write to ${name} without the append lock of its log`);
  }

  #publish(safeEnd: number, cached: ReadonlyMap<number, SeenBatch>, durable: ReadonlyMap<number, SeenBatch>): void {
    if (safeEnd < this.#end) fail('I3', `S went back to ${safeEnd}, below the promised ${this.#end}`);
    let offset = Math.min(this.#firstOffset(), safeEnd);
    while (offset < safeEnd) {
      const batch = cached.get(offset);
      if (!batch) fail('I7', `S is ${safeEnd}, but there is no whole batch at offset ${offset}`);
      if (batch.nextOffset > safeEnd) fail('I7', `S is ${safeEnd}, inside the batch ${offset}–${batch.nextOffset - 1}`);
      this.#promise(batch, `published by S = ${safeEnd}`, durable);
      offset = batch.nextOffset;
    }
  }

  #promise(batch: SeenBatch, how: string, durable: ReadonlyMap<number, SeenBatch>): void {
    const before = this.#promised.get(batch.baseOffset);
    if (before && Buffer.compare(before.batch.bytes, batch.bytes) !== 0) {
      fail('I2', `offset ${batch.baseOffset} was ${before.how} and is now ${how} with other bytes`);
    }
    const promised = before ?? { batch, how };
    this.#mustHold({ batch, how }, durable, 'I5', 'on the disk');
    this.#promised.set(batch.baseOffset, promised);
    this.#end = Math.max(this.#end, batch.nextOffset);
  }

  #mustHold({ batch, how }: Promised, found: ReadonlyMap<number, SeenBatch>, rule: string, where: string): void {
    const there = found.get(batch.baseOffset);
    if (!there) fail(rule, `offset ${batch.baseOffset} was ${how} and is not ${where}`);
    if (Buffer.compare(there.bytes, batch.bytes) !== 0) {
      fail(rule, `offset ${batch.baseOffset} was ${how}, but other bytes are ${where}`);
    }
  }

  #segments(view: 'cached' | 'durable'): { name: string; base: number; file: SimulatedFile }[] {
    const { directory } = this.#view;
    return (this.#disk.list(directory, view) ?? [])
      .flatMap((name) => {
        const base = this.#view.segmentBase(name);
        const file = base === undefined ? undefined : this.#disk.file(`${directory}/${name}`, view);
        return base === undefined || !file ? [] : [{ name, base, file }];
      })
      .sort((a, b) => a.base - b.base);
  }

  #batches(view: 'cached' | 'durable'): readonly SeenBatch[] {
    return this.#segments(view).flatMap(({ file }) => this.#walked(file, view));
  }

  /** Most steps leave most segments as they are. The batches are copies: the bytes of a file change in place. */
  #walked(file: SimulatedFile, view: 'cached' | 'durable'): readonly SeenBatch[] {
    const before = this.#walks[view].get(file);
    if (before?.revision === file.revision) return before.batches;
    const { batches } = this.#view.walk((view === 'cached' ? file.cachedBytes : file.durableBytes).slice());
    this.#walks[view].set(file, { revision: file.revision, batches });
    return batches;
  }

  #byOffset(view: 'cached' | 'durable'): Map<number, SeenBatch> {
    const found = new Map<number, SeenBatch>();
    for (const batch of this.#batches(view)) {
      const other = found.get(batch.baseOffset);
      if (other && other.identity !== batch.identity && batch.baseOffset < this.#end) {
        fail('I1', `two segments claim offset ${batch.baseOffset}: ${other.identity} and ${batch.identity}`);
      }
      found.set(batch.baseOffset, batch);
    }
    return found;
  }

  #firstOffset(): number {
    return this.#segments('cached')[0]?.base ?? 0;
  }
}

function fail(rule: string, message: string): never {
  throw new Error(`${rule}: ${message}`);
}
