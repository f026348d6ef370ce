/** What the tests of the storage protocol explore: one partition, its writers, followers and readers. */
import { nextBatch, WalkResult } from '../../../src/format/batch-walk.js';
import { RecordBatch } from '../../../src/format/record-batch.js';
import { RecordBatchBuilder } from '../../../src/format/record-batch-builder.js';
import { CONTROL_FILE_NAME } from '../../../src/storage/control-file.js';
import { type ControlRecord, decodeControlRecord } from '../../../src/storage/control-record.js';
import { createPartition } from '../../../src/storage/create-partition.js';
import type { FileSystem } from '../../../src/storage/file-system.js';
import { DEFAULT_LOG_CONFIG } from '../../../src/storage/log-config.js';
import { parseSegmentFileName, segmentFileName } from '../../../src/storage/log-files.js';
import { APPEND_RANGE } from '../../../src/storage/partition-locks.js';
import type { Scenario, ScenarioWorld } from '../../support/explore.js';
import { type LogView, PromisedLog, type SeenBatch, type WalkedBatches } from '../../support/invariants.js';
import type { ProcessBody } from '../../support/scheduler.js';
import type { ProcessClock } from '../../support/simulated-clock.js';
import type { SimulatedDisk } from '../../support/simulated-disk.js';

/** The code that is driven: as it is, or with a flaw in it. */
export interface StorageModule {
  readonly PartitionLog: typeof import('../../../src/storage/partition-log.js').PartitionLog;
  readonly PartitionReader: typeof import('../../../src/storage/partition-reader.js').PartitionReader;
  readonly createPartition: typeof createPartition;
  readonly holdPartition: typeof import('../../../src/storage/hold-partition.js').holdPartition;
}

export const STORAGE_ENTRIES = [
  'storage/partition-log.ts',
  'storage/partition-reader.ts',
  'storage/create-partition.ts',
  'storage/hold-partition.ts',
];

export const DIRECTORY = '/log/t-0';
/**
 * With its overhead a batch is then 582 bytes, so that each is in two sectors and none of these holds two whole ones.
 */
const VALUE_BYTES = 512;
export const BATCH_BYTES = 582;

export interface PartitionScenario {
  readonly writers: number;
  /** Sends in all; each writer takes the next one until there are no more. */
  readonly batches: number;
  /** Batches of one append. Default 1. */
  readonly batchesAtOnce?: number;
  /** Each opens the partition and looks `polls` times whether there is something to settle. Default 0. */
  readonly followers?: number;
  /** Each looks `polls` times, writes nothing and takes no locks. Default 0. */
  readonly readers?: number;
  /** Default 1. */
  readonly polls?: number;
  /** A segment takes so many batches. Default: all. */
  readonly batchesPerSegment?: number;
  /** Of so much that a batch of theirs takes the room of two. */
  readonly largeSends?: readonly number[];
  /** Lost bytes may be noticed late, so that I4 is not looked at. */
  readonly evictions?: boolean;
  /** What one write cannot tear. Default 512. */
  readonly sectorBytes?: number;
  /** Failures that a writer takes for its end; its next life begins at once. */
  readonly expectedErrors?: readonly string[];
}

const DEATHS = ['KLOG_SYNC_FAILED', 'KLOG_OUTCOME_UNKNOWN'];

export function partitionScenario(storage: StorageModule, options: PartitionScenario): Scenario {
  return {
    disk: options.sectorBytes === undefined ? {} : { sectorBytes: options.sectorBytes },
    prepare: preparePartition,
    build(world) {
      const promised = new PromisedLog(world.disk, partitionView);
      if (options.evictions !== true) world.disk.observers.push(promised.beforeWrite);
      world.afterEachStep(promised.afterStep);
      const work = new PartitionWork(storage, options, promised);
      for (let i = 1; i <= options.writers; i++) world.spawn(`w${i}`, work.writer);
      for (let i = 1; i <= (options.followers ?? 0); i++) world.spawn(`f${i}`, work.follower);
      for (let i = 1; i <= (options.readers ?? 0); i++) world.spawn(`r${i}`, work.reader);
      world.atEnd(() => judge(world, work, promised));
    },
  };
}

export async function preparePartition(disk: SimulatedDisk): Promise<void> {
  const setup = disk.process('setup');
  await setup.makeDirectory('/log');
  await setup.makeDirectory(DIRECTORY);
  const clock = { now: () => disk.nowMs };
  await createPartition(setup, DIRECTORY, { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', clock });
  await setup.syncDirectory('/log');
  await setup.syncDirectory('/');
}

/** What the processes of one run do. */
export class PartitionWork {
  readonly #storage: StorageModule;
  readonly #options: PartitionScenario;
  readonly #promised: PromisedLog;
  readonly #opened = new Set<string>();
  #sent = 0;

  constructor(storage: StorageModule, options: PartitionScenario, promised: PromisedLog) {
    this.#storage = storage;
    this.#options = options;
    this.#promised = promised;
  }

  readonly writer: ProcessBody = async ({ name, fs, clock, wait }) => {
    const { writers, batches, batchesAtOnce = 1 } = this.#options;
    let log: Awaited<ReturnType<PartitionWork['open']>> | undefined;
    for (;;) {
      try {
        log ??= await this.open(fs, clock);
        // Who opens the log settles it: writers that are already there meet more.
        if (!this.#opened.has(name)) {
          this.#opened.add(name);
          await wait('all writers', () => this.#opened.size === writers);
        }
        if (this.#sent >= batches) break;
        const sends = Array.from({ length: batchesAtOnce }, () => `send ${++this.#sent}`);
        const appended = await log.append(sends.map((send) => this.#batchOf(send)));
        await log.durable(appended);
        sends.forEach((send, i) => {
          this.#promised.acknowledged(appended.baseOffset + i, send);
        });
      } catch (error) {
        this.#expect(error);
        await log?.close().catch(this.#expect);
        log = undefined;
      }
    }
    await log.close().catch(this.#expect);
  };

  readonly follower: ProcessBody = async ({ fs, clock }) => {
    const { polls = 1 } = this.#options;
    try {
      const log = await this.open(fs, clock);
      for (let poll = 1; poll < polls; poll++) {
        await clock.sleep(250);
        await log.trySettle();
      }
      await log.close();
    } catch (error) {
      this.#expect(error);
    }
  };

  readonly reader: ProcessBody = async ({ name, fs, clock }) => {
    const reader = await this.#storage.PartitionReader.open(fs, DIRECTORY, { topic: 't', partition: 0 });
    let offset = 0;
    for (let polls = 0; polls < (this.#options.polls ?? 1); polls++) {
      if (polls > 0) await clock.sleep(250);
      const { highWatermark } = await reader.marks();
      while (offset < highWatermark) {
        const { buffer, start, end, nextOffset } = await reader.fetch(offset, 1_000_000);
        for (const batch of walkBatches(buffer.subarray(start, end)).batches) this.#promised.shown(batch, name);
        offset = nextOffset;
      }
    }
    await reader.close();
    return offset;
  };

  readonly #expect = (error: unknown): void => {
    const { expectedErrors = DEATHS } = this.#options;
    if (!expectedErrors.includes((error as { code: string }).code)) throw error;
  };

  #batchOf(send: string): Uint8Array {
    const large = this.#options.largeSends?.some((number) => send === `send ${number}`) ?? false;
    return batchOf(send, large ? VALUE_BYTES + BATCH_BYTES - 1 : VALUE_BYTES);
  }

  open(fs: FileSystem, clock: ProcessClock) {
    const { batchesPerSegment = 1_000 } = this.#options;
    const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: batchesPerSegment * BATCH_BYTES };
    const lockWaitMs = Number.POSITIVE_INFINITY;
    return this.#storage.PartitionLog.open(fs, DIRECTORY, { topic: 't', partition: 0, config, clock, lockWaitMs });
  }
}

/** For scenarios with work of their own. */
export function judgeSettled(world: ScenarioWorld, storage: StorageModule, promised: PromisedLog): Promise<void> {
  return judge(world, new PartitionWork(storage, { writers: 0, batches: 0 }, promised), promised);
}

/** Every end must be a good one: opened once more, the log is settled and gives everything that was promised. */
async function judge(world: ScenarioWorld, work: PartitionWork, promised: PromisedLog): Promise<void> {
  await world.alone('judge', async ({ fs, clock }) => (await work.open(fs, clock)).close());
  mustBeSettled(world.disk);
  const read = await world.alone('judge', work.reader);
  if ((read as number) < promised.end)
    throw new Error(`I1: a reader gets only to ${read}, promised is ${promised.end}`);
  promised.afterAll();
}

function mustBeSettled(disk: SimulatedDisk): void {
  const { appended, safe, syncing } = controlOf(disk, DIRECTORY);
  if (appended === undefined || safe === undefined) throw new Error('I6: no A or no S at the end');
  const size = disk.bytes(`${DIRECTORY}/${segmentFileName(safe.segmentBase, '.log')}`)?.length;
  const settled =
    Buffer.compare(safe.bootId, disk.bootId) === 0 &&
    !syncing &&
    safe.layoutVersion % 2 === 0 &&
    safe.segmentBase === appended.segmentBase &&
    safe.position === appended.position &&
    safe.position === size;
  if (!settled) {
    throw new Error(
      `I6: not settled at the end: A ${appended.segmentBase}+${appended.position}, S ${safe.segmentBase}+` +
        `${safe.position}, ${size} bytes, layout ${safe.layoutVersion}${syncing ? ', syncing' : ''}`,
    );
  }
}

interface ControlBytes {
  readonly appended: ControlRecord | undefined;
  readonly safe: ControlRecord | undefined;
  readonly syncing: boolean;
}

/** Read from the bytes, not by the code under test: its layout stands in src/storage/control-file.ts. */
export function controlOf(disk: SimulatedDisk, directory: string): ControlBytes {
  const bytes = Buffer.alloc(4096);
  bytes.set(disk.bytes(`${directory}/${CONTROL_FILE_NAME}`) ?? []);
  const newest = (at: number): ControlRecord | undefined => {
    const slots = [decodeControlRecord(bytes, at), decodeControlRecord(bytes, at + 512)];
    return slots.sort((a, b) => (b?.sequence ?? 0) - (a?.sequence ?? 0))[0];
  };
  return { appended: newest(0), safe: newest(1024), syncing: bytes[2048] !== 0 };
}

export const partitionView: LogView = {
  directory: DIRECTORY,
  segmentBase(name) {
    const file = parseSegmentFileName(name);
    return file?.suffix === '.log' && file.state === undefined ? file.baseOffset : undefined;
  },
  walk: walkBatches,
  safeEnd(disk, directory) {
    const { safe } = controlOf(disk, directory);
    return safe !== undefined && Buffer.compare(safe.bootId, disk.bootId) === 0 ? safe.offset : undefined;
  },
  appendLock: { file: CONTROL_FILE_NAME, start: APPEND_RANGE.start },
};

export function batchOf(send: string, valueBytes = VALUE_BYTES): Uint8Array {
  const value = Buffer.alloc(valueBytes, '.');
  value.write(send);
  const builder = new RecordBatchBuilder({ initialBytes: 2048 });
  builder.appendValue(value, 0, value.length, 1_700_000_000_000);
  return builder.build();
}

export function walkBatches(bytes: Uint8Array): WalkedBatches {
  const batches: SeenBatch[] = [];
  const batch = new RecordBatch();
  const found = new WalkResult();
  let end = 0;
  while (nextBatch(bytes, end, bytes.length, found).status === 'batch') {
    batch.reset(bytes, end);
    if (!batch.isValid()) break;
    const whole = bytes.subarray(end, end + found.size);
    const identity = /send \d+/.exec(Buffer.from(whole).toString('latin1'))?.[0] ?? '?';
    batches.push({ baseOffset: batch.baseOffset, nextOffset: batch.nextOffset, bytes: whole, identity });
    end += found.size;
  }
  return { batches, end };
}
