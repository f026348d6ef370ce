import { join } from 'node:path';
import { KlogError } from '../../errors.js';
import { loadCodec } from '../../format/compression.js';
import { codecNeeded, openCursor, RecordCursor } from '../../format/record-cursor.js';
import type { FileSystem, OpenFile } from '../../storage/file-system.js';
import { nodeFileSystem } from '../../storage/file-system-node.js';
import { segmentBaseOffsets, segmentFileName } from '../../storage/log-files.js';
import { storageError, systemErrorCode } from '../../store/system-error.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { type Column, printJson, printTable } from '../listing.js';
import { Progress } from '../progress.js';
import { sizeText } from '../size-text.js';
import { problemOf } from './batch-fields.js';
import { Damage } from './damage.js';
import type { DumpFile } from './dump-file.js';
import type { FoundPartition } from './dump-targets.js';
import { readDurableLimit } from './durable-limit.js';
import { byTopic, partitionsOf, placeOf } from './log-operands.js';
import { LogStatistics, type StatisticsSummary } from './log-statistics.js';
import { SegmentWalk } from './segment-walk.js';
import { describeTail } from './trailing-bytes.js';

export interface LogStatsOptions extends GlobalOptions {
  /** `T`, `T:P`, or paths; none: the whole log. */
  readonly operands: readonly string[];
  /** So many of the most frequent keys. */
  readonly topKeys?: number;
}

interface StatsTask {
  readonly fs: FileSystem;
  readonly damage: Damage;
  readonly onBytes: (bytes: number) => void;
  isStopped(): boolean;
}

/** Of everything that is whole and durable. CORRUPT_MESSAGE, after the figures, if something was passed over. */
export async function runLogStats(
  options: LogStatsOptions,
  context: CliContext,
  fs: FileSystem = nodeFileSystem,
): Promise<ExitCode> {
  const topics = byTopic(await partitionsOf(fs, options.operands, placeOf(options, context)));
  let [bytes, current] = [0, ''];
  const progress = new Progress(options, context, () => `reading ${current}: ${sizeText(bytes)}`);
  const { signal } = context.signals;
  const task: StatsTask = {
    fs,
    damage: new Damage(),
    onBytes: (more) => {
      bytes += more;
    },
    isStopped: () => signal.aborted,
  };
  const summaries: StatisticsSummary[] = [];
  try {
    for (const [topic, partitions] of topics) {
      current = topic;
      const statistics = new LogStatistics(topic, options.topKeys ?? 0);
      for (const partition of partitions) await addPartition(partition, statistics, task);
      if (task.isStopped()) return 0;
      summaries.push(statistics.summary());
    }
  } catch (error) {
    throw systemErrorCode(error) === undefined ? error : storageError(error, 'cannot read the log');
  } finally {
    progress.stop();
  }
  await print(summaries, options, context);
  await context.stdout.drain();
  task.damage.throwIfAny();
  return 0;
}

async function addPartition(partition: FoundPartition, statistics: LogStatistics, task: StatsTask): Promise<void> {
  const { path, shown, names } = partition.directory;
  statistics.partitions += 1;
  const durable = await readDurableLimit(task.fs, path);
  let minOffset = 0;
  const bases = segmentBaseOffsets(names);
  for (const baseOffset of bases) {
    if (durable !== undefined && baseOffset > durable.segmentBase) break;
    const name = segmentFileName(baseOffset, '.log');
    const { topic, partition: number } = partition.owner ?? {};
    const file: DumpFile = {
      path: join(path, name),
      shown: join(shown, name),
      name,
      kind: 'log',
      topic,
      partition: number,
      baseOffset,
      isFollowed: baseOffset !== bases.at(-1),
    };
    const limit = durable?.segmentBase === baseOffset ? durable.position : Number.POSITIVE_INFINITY;
    minOffset = await addSegment(file, { minOffset: Math.max(minOffset, baseOffset), limit }, statistics, task);
  }
}

interface Range {
  readonly minOffset: number;
  readonly limit: number;
}

/** Answers the offset behind it. */
async function addSegment(file: DumpFile, range: Range, statistics: LogStatistics, task: StatsTask): Promise<number> {
  let log: OpenFile;
  try {
    log = await task.fs.open(file.path, 'read');
  } catch (error) {
    // Removed since the directory was listed, by whoever keeps the log within its limits.
    if (systemErrorCode(error) === 'ENOENT') return range.minOffset;
    throw error;
  }
  try {
    const end = Math.min(range.limit, (await log.stat()).size);
    const walk = new SegmentWalk(log, end, range);
    const cursor = new RecordCursor();
    while (!task.isStopped() && (await walk.next())) {
      const { position, size } = walk.fields;
      task.onBytes(size);
      if (walk.problem === undefined) await addBatch(file, walk, cursor, statistics, task);
      else task.damage.add(file, walk.problem, { position, offset: walk.nextOffset });
    }
    if (walk.position < end && !task.isStopped()) {
      const { content, what } = await describeTail(log, walk.position, end, walk.stopProblem);
      // Else it is what a crash, or a writer at work, leaves at the end of a log.
      if (content === 'garbage' || file.isFollowed || range.limit !== Number.POSITIVE_INFINITY) {
        const { position, nextOffset } = walk;
        task.damage.add(file, `${end - position} bytes that are no batch: ${what}`, { position, offset: nextOffset });
      }
    }
    return walk.nextOffset;
  } finally {
    await log.close();
  }
}

async function addBatch(
  file: DumpFile,
  walk: SegmentWalk,
  cursor: RecordCursor,
  statistics: LogStatistics,
  task: StatsTask,
): Promise<void> {
  const { fields } = walk;
  statistics.batch(fields);
  if (fields.isControl === true) return;
  const bytes = await walk.readBatch();
  try {
    const codec = codecNeeded(bytes, 0);
    if (codec !== undefined) await loadCodec(codec);
    openCursor(cursor, bytes, 0);
    while (cursor.next()) statistics.record(cursor);
  } catch (error) {
    if (!(error instanceof KlogError) || error.code === 'KLOG_UNSUPPORTED') throw error;
    task.damage.add(file, problemOf(error), { position: fields.position, offset: fields.baseOffset ?? undefined });
  }
}

async function print(
  summaries: readonly StatisticsSummary[],
  options: LogStatsOptions,
  context: CliContext,
): Promise<void> {
  if (options.json) {
    printJson(context, summaries.map(jsonOf));
  } else if (options.topKeys === undefined) {
    await printTable(context, COLUMNS, summaries);
  } else {
    const rows = summaries.flatMap((summary) => summary.topKeys.map((top) => ({ summary, top })));
    await printTable(context, KEY_COLUMNS, rows);
  }
}

type Row = { readonly summary: StatisticsSummary; readonly top: StatisticsSummary['topKeys'][number] };

const KEY_COLUMNS: readonly Column<Row>[] = [
  { heading: 'TOPIC', value: ({ summary }) => summary.topic },
  { heading: 'RECORDS', value: ({ top }) => `${top.isExact ? '' : '>='}${top.records}`, align: 'right' },
  { heading: 'SHARE', value: ({ summary, top }) => share(top.records, summary.records), align: 'right' },
  { heading: 'KEY', value: ({ top }) => top.key.toString('utf8') },
];

const COLUMNS: readonly Column<StatisticsSummary>[] = [
  { heading: 'TOPIC', value: ({ topic }) => topic },
  ...(
    [
      ['PARTITIONS', ({ partitions }) => partitions],
      ['RECORDS', ({ records }) => records],
      ['BATCHES', ({ batches }) => batches],
      ['BYTES', ({ bytes }) => bytes],
      ['AVG-RECORD', ({ averageRecordBytes }) => averageRecordBytes ?? '-'],
      ['RATIO', ({ compressionRatio }) => compressionRatio ?? '-'],
      ['KEYS', ({ distinctKeys }) => distinctKeys],
      ['NULL-KEYS', ({ nullKeys }) => nullKeys],
      ['NULL-VALUES', ({ nullValues }) => nullValues],
      ['HEADERS', ({ headers }) => headers],
      ['FIRST', ({ minTimestamp }) => timeText(minTimestamp)],
      ['LAST', ({ maxTimestamp }) => timeText(maxTimestamp)],
      ['RATE/S', ({ recordsPerSecond }) => recordsPerSecond ?? '-'],
    ] as const satisfies readonly (readonly [string, (summary: StatisticsSummary) => string | number])[]
  ).map(([heading, value]): Column<StatisticsSummary> => ({ heading, value, align: 'right' })),
];

function share(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(1)}%`;
}

/** A time that no calendar has stays a number. */
function timeText(timestamp: number | null): string {
  if (timestamp === null) return '-';
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString();
}

function jsonOf(summary: StatisticsSummary): unknown {
  const topKeys = summary.topKeys.map(({ key, records, isExact }) => ({ ...keyFields(key), records, exact: isExact }));
  return { ...summary, topKeys };
}

function keyFields(key: Buffer): { readonly key: string } | { readonly keyBase64: string } {
  const text = key.toString('utf8');
  return Buffer.from(text).equals(key) ? { key: text } : { keyBase64: key.toString('base64') };
}
