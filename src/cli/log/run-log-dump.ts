import { KlogError } from '../../errors.js';
import type { FileSystem, OpenFile } from '../../storage/file-system.js';
import { nodeFileSystem } from '../../storage/file-system-node.js';
import { storageError, systemErrorCode } from '../../store/system-error.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { forEachOperand } from '../operands.js';
import { resolveDirectory } from '../resolve-directory.js';
import { Damage } from './damage.js';
import type { DumpFile } from './dump-file.js';
import { dumpOffsetIndex, dumpTimeIndex, dumpTransactionIndex } from './dump-index.js';
import { dumpSegment } from './dump-segment.js';
import { dumpSideFile } from './dump-side-file.js';
import { dumpFiles } from './dump-targets.js';
import type { DumpTask } from './dump-task.js';
import { DumpOutput } from './dump-writer.js';
import type { FileKind } from './file-kind.js';
import { createJsonDump } from './json-dump.js';
import { createTextDump } from './text-dump.js';

export interface LogDumpOptions extends GlobalOptions {
  /** `T`, `T:P`, or paths. */
  readonly operands: readonly string[];
  /** Records with keys and values. */
  readonly records?: boolean;
  /** Records, but not what is in them. */
  readonly deepIteration?: boolean;
  readonly skipRecordMetadata?: boolean;
  readonly maxBytes?: number;
}

type DumpOne = (file: DumpFile, open: OpenFile, task: DumpTask) => Promise<void>;

const BY_KIND: Readonly<Record<FileKind, DumpOne>> = {
  log: dumpSegment,
  offsetIndex: dumpOffsetIndex,
  timeIndex: dumpTimeIndex,
  transactionIndex: dumpTransactionIndex,
  producerSnapshot: dumpSideFile,
  offsetCheckpoint: dumpSideFile,
  leaderEpochCheckpoint: dumpSideFile,
  partitionMetadata: dumpSideFile,
  metaProperties: dumpSideFile,
  klogEnd: dumpSideFile,
};

/** Shows files and changes none. CORRUPT_MESSAGE, after everything was shown, if something was damaged. */
export async function runLogDump(
  options: LogDumpOptions,
  context: CliContext,
  fs: FileSystem = nodeFileSystem,
): Promise<ExitCode> {
  if (options.operands.length === 0) {
    throw new KlogError('KLOG_USAGE', 'log dump: nothing to dump is named', { hint: 'Name a topic or a path' });
  }
  const out = new DumpOutput(context.stdout);
  const { signal } = context.signals;
  const withContent = options.records === true;
  const shape = { withContent, forTerminal: context.stdout.isTerminal };
  const base = {
    fs,
    out,
    format: options.json
      ? createJsonDump(shape)
      : createTextDump({ ...shape, withMetadata: options.skipRecordMetadata !== true }),
    withRecords: withContent || options.deepIteration === true,
    maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY,
    isStopped: () => out.isClosed || signal.aborted,
  };
  const place = {
    cwd: context.cwd,
    dataDirectory: async () => (await resolveDirectory(options, context)).directory,
  };
  return forEachOperand(options.operands, options, context, async (operand) => {
    const task: DumpTask = { ...base, damage: new Damage() };
    try {
      for await (const file of dumpFiles(fs, operand, place)) {
        if (task.isStopped()) return;
        await dumpFile(file, task);
      }
    } catch (error) {
      throw systemErrorCode(error) === undefined ? error : storageError(error, `cannot read ${operand}`);
    } finally {
      out.flush();
      await context.stdout.drain();
    }
    if (!task.isStopped()) task.damage.throwIfAny();
  });
}

async function dumpFile(file: DumpFile, task: DumpTask): Promise<void> {
  let open: OpenFile;
  try {
    open = await task.fs.open(file.path, 'read');
  } catch (error) {
    // Removed since the directory was listed, by whoever keeps the log within its limits.
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await BY_KIND[file.kind](file, open, task);
  } finally {
    await open.close();
  }
}
