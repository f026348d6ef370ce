import type { ArchivedOffset } from '../../archive/archive-format.js';
import { type ArchiveSink, ArchiveWriter } from '../../archive/archive-writer.js';
import type { Client } from '../../clients/client.js';
import type { NewGroupOffset } from '../../clients/group-admin.js';
import type { GroupSnapshot, LogSnapshot, PartitionSnapshot } from '../../clients/log-snapshot.js';
import { KlogError } from '../../errors.js';
import { loadCodec } from '../../format/compression.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { counted, printJson } from '../listing.js';
import { notice } from '../notices.js';
import { withClient } from '../open-client.js';
import { Progress } from '../progress.js';
import { sizeText } from '../size-text.js';
import { checkTopics, topicNames } from '../topic-selection.js';
import { VERSION } from '../version.js';
import { createArchiveFile } from './archive-file.js';

export interface ExportOptions extends GlobalOptions {
  /** None: all. */
  readonly topics: readonly string[];
  readonly regex?: boolean;
  readonly internal?: boolean;
  /** A path; undefined and `-`: standard output. */
  readonly output?: string;
  readonly compress?: boolean;
  /** False: without what groups have committed. */
  readonly groups?: boolean;
}

export async function runExport(options: ExportOptions, context: CliContext): Promise<ExitCode> {
  const path = options.output === '-' ? undefined : options.output;
  if (path === undefined && options.json) {
    throw new KlogError('KLOG_USAGE', 'export: standard output cannot take the archive and --json', {
      hint: 'Name a file with -o',
    });
  }
  if (path === undefined && context.stdout.isTerminal) {
    throw new KlogError('KLOG_USAGE', 'export: will not write an archive to the terminal', {
      hint: 'Name a file with -o',
    });
  }
  checkTopics(options);
  return withClient<ExitCode>(options, context, { topics: options.topics }, async (client, { directory }) => {
    const topics = options.topics.length === 0 ? undefined : await topicNames(client.admin(), options);
    await using snapshot = await snapshotOf(client, topics, options);
    const file = path === undefined ? undefined : await createArchiveFile(path);
    try {
      const writer = new ArchiveWriter(file?.sink ?? standardOutput(context), await codecOf(options));
      const groups = await snapshot.groups();
      const isWhole = await writeArchive(snapshot, groups, writer, options, context);
      if (!isWhole) return 0;
      await file?.keep();
      await report(snapshot, groups, writer, { options, context, directory, path });
      return 0;
    } finally {
      await file?.discard();
    }
  });
}

async function snapshotOf(client: Client, topics: readonly string[] | undefined, options: ExportOptions) {
  const groups = options.groups !== false;
  const selected = topics === undefined ? { internal: options.internal === true } : { topics };
  return await client.admin().snapshot({ ...selected, groups });
}

async function codecOf(options: ExportOptions) {
  return options.compress ? await loadCodec('zstd') : undefined;
}

/** Answers false if it was interrupted, or nobody reads on. */
async function writeArchive(
  snapshot: LogSnapshot,
  groups: readonly GroupSnapshot[],
  writer: ArchiveWriter,
  options: ExportOptions,
  context: CliContext,
): Promise<boolean> {
  const { signal } = context.signals;
  const isOver = () => signal.aborted || (context.stdout.isClosed && (options.output ?? '-') === '-');
  const progress = new Progress(options, context, () => {
    const { records, recordBytes } = writer.totals;
    return `${counted(records, 'record')}, ${sizeText(recordBytes)}`;
  });
  try {
    await writer.begin({ klog: VERSION, createdAt: new Date(context.clock.now()).toISOString() });
    for (const topic of snapshot.topics) await writer.topic(topic);
    for (const { partitions } of snapshot.topics) {
      for (const partition of partitions.filter(hasRecords)) {
        await writer.partition(partition.topic, partition.partition, partition);
        for await (const bytes of snapshot.batches(partition)) {
          await writer.batches(bytes);
          if (isOver()) return false;
        }
      }
    }
    for (const { groupId: group, offsets } of groups) await writer.group({ group, offsets: offsets.map(archived) });
    await writer.end();
    return !isOver();
  } finally {
    progress.stop();
  }
}

function archived({ topic, partition, offset, metadata = '' }: NewGroupOffset): ArchivedOffset {
  return { topic, partition, offset, metadata };
}

function hasRecords({ startOffset, endOffset }: PartitionSnapshot): boolean {
  return startOffset < endOffset;
}

function standardOutput({ stdout }: CliContext): ArchiveSink {
  return (bytes) => {
    if (!stdout.append(bytes, 0, bytes.length)) return stdout.drain();
  };
}

interface Done {
  readonly options: ExportOptions;
  readonly context: CliContext;
  readonly directory: string;
  readonly path: string | undefined;
}

async function report(
  snapshot: LogSnapshot,
  groups: readonly GroupSnapshot[],
  writer: ArchiveWriter,
  done: Done,
): Promise<void> {
  const { options, context, directory, path } = done;
  const { records, recordBytes } = writer.totals;
  for (const { topic, partition, from, to } of snapshot.deleted) {
    notice(options, context, `offsets ${from} to ${to - 1} of ${topic}:${partition} were deleted meanwhile`);
  }
  if (options.json) {
    const topics = snapshot.topics.map(({ topic, topicId, partitions }) => ({
      topic,
      topicId,
      partitions: partitions.map(({ partition, startOffset, endOffset }) => ({ partition, startOffset, endOffset })),
    }));
    const names = groups.map(({ groupId }) => groupId);
    printJson(context, { file: path, topics, records, recordBytes, groups: names, deleted: snapshot.deleted });
    return;
  }
  const what = `${counted(snapshot.topics.length, 'topic')}, ${counted(records, 'record')} (${sizeText(recordBytes)})${ofGroups(groups)}`;
  // What is said to be there is written.
  await context.stdout.flush();
  notice(options, context, `exported ${what} from ${directory} to ${path ?? 'standard output'}`);
}

function ofGroups(groups: readonly GroupSnapshot[]): string {
  return groups.length === 0 ? '' : `, offsets of ${counted(groups.length, 'group')}`;
}
