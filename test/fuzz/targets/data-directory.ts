/** A data directory with damage in any of its files, opened, read, written to, and dumped. */
import { runLogCheck } from '../../../src/cli/log/run-log-check.js';
import { runLogDump } from '../../../src/cli/log/run-log-dump.js';
import { LocalClient } from '../../../src/clients/local/local-client.js';
import type { CompressionType } from '../../../src/format/compression.js';
import { crc32c } from '../../../src/format/crc32c.js';
import { CONTROL_FILE_NAME } from '../../../src/storage/control-file.js';
import { openStore, type Store } from '../../../src/store/store.js';
import { FakeContext } from '../../cli/support/fake-context.js';
import { buildBatch } from '../../support/build-batch.js';
import { expectKlogErrorFrom } from '../expect-klog-error.js';
import { FuzzDisk } from '../fuzz-disk.js';
import type { FuzzRandom } from '../fuzz-random.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateBytes, setNumber } from '../mutate-bytes.js';
import { mutateLog } from '../mutate-log.js';
import { mutateText } from '../mutate-text.js';

const PATH = '/data';
const TOPIC = 'orders';
const seams = { now: () => 1_700_000_000_000, elapsed: () => 0, random: () => 0.5 };
const clock = { now: () => 1_700_000_000_000 };
/** Fetches of one partition: an input that makes a reader go round for ever ends here. */
const MOST_FETCHES = 2000;

function open(disk: FuzzDisk, create = false): Promise<Store> {
  return openStore(disk, PATH, { create, clock, lockWaitMs: 100, lockMechanism: 'ofd' });
}

/** Several segments, each codec, two partitions, a deleted topic. */
async function buildDisk(): Promise<FuzzDisk> {
  const disk = new FuzzDisk();
  const client = new LocalClient(await open(disk, true), seams);
  const admin = client.admin();
  const configs = { 'segment.bytes': '1500', 'index.interval.bytes': '200' };
  await admin.createTopic({ topic: TOPIC, partitions: 2, configs });
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd', 'none'] satisfies CompressionType[]) {
    await using producer = client.producer({ compression });
    for (let i = 0; i < 8; i++) {
      const headers = [{ key: 'h', value: `${i}` }];
      const records = Array.from({ length: 3 }, (_, j) => ({
        topic: TOPIC,
        partition: i % 2,
        key: `k${j}`,
        value: `value ${i} ${j}`,
        headers,
      }));
      await producer.sendAll(records);
    }
  }
  await client.close();
  return disk;
}

/** Damage as fits the kind of file. */
function damage(disk: FuzzDisk, path: string, random: FuzzRandom): void {
  const { bytes } = disk.files().get(path)!;
  const kind = random.below(20);
  if (kind === 0) disk.remove(path);
  else if (kind === 1) disk.put(path, Buffer.concat([bytes, Buffer.alloc(random.below(5000))]));
  else if (path.endsWith('.log')) disk.put(path, mutateLog(bytes, random));
  else if (path.endsWith(CONTROL_FILE_NAME)) disk.put(path, mutateControlFile(bytes, random));
  else if (path.endsWith('index')) disk.put(path, mutateIndex(bytes, random));
  else {
    const text = bytes.toString();
    disk.put(path, Buffer.from(mutateText(text, random, [text])));
  }
}

const SLOTS = [0, 512, 1024, 1536];
const SLOT_FIELDS = [8, 16, 24, 32, 40, 48, 56, 64, 88, 96, 140, 184, 208, 108, 116, 124] as const;

/** Fields of one slot, or of both, with the right checksum. */
function mutateControlFile(source: Buffer, random: FuzzRandom): Buffer {
  if (random.chance(0.15)) return mutateBytes(source, random);
  const bytes = Buffer.from(source);
  if (random.chance(0.2)) bytes[2048] = 1;
  const field = random.pick(SLOT_FIELDS);
  const value = random.chance(0.5) ? random.number() : random.below(3000);
  for (const slot of random.chance(0.5) ? SLOTS : [random.pick(SLOTS)]) {
    if (slot + 256 > bytes.length || bytes.readUInt32BE(slot) === 0) continue;
    if (random.chance(0.25)) setNumber(bytes, slot + 72 + 4 * random.below(3), 4, random.number());
    else setNumber(bytes, slot + field, 8, value);
    bytes.writeUInt32BE(crc32c(bytes, slot, slot + 252), slot + 252);
  }
  return bytes;
}

function mutateIndex(source: Buffer, random: FuzzRandom): Buffer {
  if (source.length < 12 || random.chance(0.3)) return mutateBytes(source, random);
  const bytes = Buffer.from(source);
  setNumber(bytes, 4 * random.below(bytes.length / 4), random.pick([4, 8]), random.number());
  return bytes;
}

function damaged(base: FuzzDisk, random: FuzzRandom, select: (path: string) => boolean): FuzzDisk {
  const disk = new FuzzDisk(base);
  for (let left = 1 + random.below(2); left > 0; left--) {
    const paths = [...disk.files().keys()].filter(select);
    if (paths.length > 0) damage(disk, random.pick(paths), random);
  }
  return disk;
}

/** Reads a partition to its end, past damage. */
async function readPartition(store: Store, partition: number, random: FuzzRandom): Promise<void> {
  const reader = await store.partitionReader(TOPIC, partition);
  try {
    const { logStartOffset, highWatermark } = await reader.marks();
    await expectKlogErrorFrom(() => reader.offsetForTime(random.chance(0.5) ? clock.now() - 5 : random.number()));
    let offset = logStartOffset;
    for (let fetches = 0; offset < highWatermark; fetches++) {
      if (fetches > MOST_FETCHES)
        throw new Error(`${MOST_FETCHES} fetches, and still at ${offset} of ${highWatermark}`);
      const before = offset;
      await expectKlogErrorFrom(async () => {
        const { nextOffset } = await reader.fetch(offset, random.pick([1, 500, 1 << 20]));
        if (nextOffset <= before) throw new Error(`a fetch at ${before} of ${highWatermark} went on at ${nextOffset}`);
        offset = nextOffset;
      });
      if (offset > before) continue;
      // Behind bytes that are no batch the offset itself may come.
      const { nextOffset, length } = await reader.skipDamage(offset, 'fuzz');
      if (nextOffset < before || (nextOffset === before && length === 0)) {
        throw new Error(`damage at ${before} of ${highWatermark} was skipped to ${nextOffset}`);
      }
      offset = nextOffset;
    }
  } finally {
    await reader.close();
  }
}

/** As `consume --skip-corrupt` reads: to the end, or an error. */
async function consumePastDamage(store: Store): Promise<void> {
  const consumer = new LocalClient(store, seams).consumer({ topics: [TOPIC], skipCorrupt: true, onCorrupt: () => {} });
  let batches = 0;
  try {
    for await (const { cursor } of consumer.batches()) {
      while (cursor.next());
      if (++batches > MOST_FETCHES) throw new Error('a consumer that does not come to an end');
    }
  } finally {
    await consumer.close();
  }
}

async function appendOne(store: Store): Promise<void> {
  const log = await store.partitionLog(TOPIC, 0);
  await log.durable(await log.append([buildBatch(['one more'])]));
}

const isOfPartition = (path: string): boolean => path.includes(`/${TOPIC}-0/`);
const isOfDirectory = (path: string): boolean => !path.includes(`/${TOPIC}-`);

export async function partitionReader(): Promise<FuzzTarget> {
  const base = await buildDisk();
  return {
    name: 'partition',
    weight: 4,
    async run(random) {
      const disk = damaged(base, random, isOfPartition);
      await expectKlogErrorFrom(async () => {
        const store = await open(disk);
        try {
          await expectKlogErrorFrom(() => readPartition(store, 0, random));
          await expectKlogErrorFrom(() => consumePastDamage(store));
          await expectKlogErrorFrom(() => appendOne(store));
          await expectKlogErrorFrom(() => readPartition(store, 0, random));
        } finally {
          await store.close();
        }
      });
    },
  };
}

export async function dataDirectory(): Promise<FuzzTarget> {
  const base = await buildDisk();
  return {
    name: 'data directory',
    weight: 6,
    async run(random) {
      const disk = damaged(base, random, random.chance(0.7) ? isOfDirectory : () => true);
      await expectKlogErrorFrom(async () => {
        const store = await open(disk);
        try {
          await expectKlogErrorFrom(() => store.topics.list());
          await expectKlogErrorFrom(() => readPartition(store, 1, random));
          await expectKlogErrorFrom(() => store.topics.create({ topic: 'more' }));
          await expectKlogErrorFrom(() => store.topics.delete(TOPIC));
        } finally {
          await store.close();
        }
      });
    },
  };
}

const PLAIN = { quiet: true, verbose: false };

export async function logDump(): Promise<FuzzTarget> {
  const base = await buildDisk();
  const context = () => new FakeContext({ cwd: '/', env: { HOME: '/nowhere' } });
  return {
    name: 'log dump',
    weight: 10,
    async run(random) {
      const disk = damaged(base, random, random.chance(0.8) ? isOfPartition : () => true);
      const operand = random.chance(0.7) ? `${PATH}/log/${TOPIC}-0` : random.pick([...disk.files().keys()]);
      const options = { ...PLAIN, operands: [operand], records: random.chance(0.5), json: random.chance(0.5) };
      await expectKlogErrorFrom(() => runLogDump(options, context(), disk));
    },
  };
}

export async function logCheck(): Promise<FuzzTarget> {
  const base = await buildDisk();
  const context = () => new FakeContext({ cwd: '/', env: { HOME: '/nowhere' } });
  return {
    name: 'log check',
    weight: 10,
    async run(random) {
      const disk = damaged(base, random, isOfPartition);
      const options = {
        ...PLAIN,
        operands: [`${PATH}/log/${TOPIC}-0`],
        deep: random.chance(0.5),
        json: random.chance(0.5),
      };
      await expectKlogErrorFrom(() => runLogCheck(options, context(), disk));
    },
  };
}
