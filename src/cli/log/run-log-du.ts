import type { FileSystem } from '../../storage/file-system.js';
import { nodeFileSystem } from '../../storage/file-system-node.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { type Column, printJson, printTable } from '../listing.js';
import { sizeText } from '../size-text.js';
import { addUsage, type DiskUsage, diskUsage, USAGE_KINDS } from './disk-usage.js';
import { partitionsOf, placeOf } from './log-operands.js';

export interface LogDuOptions extends GlobalOptions {
  /** `T`, `T:P`, or paths; none: the whole log. */
  readonly operands: readonly string[];
  /** One line a topic. */
  readonly summarize?: boolean;
  readonly human?: boolean;
}

interface Row extends DiskUsage {
  readonly topic: string;
  /** Left out where a row is a whole topic. */
  readonly partition?: number;
}

export async function runLogDu(
  options: LogDuOptions,
  context: CliContext,
  fs: FileSystem = nodeFileSystem,
): Promise<ExitCode> {
  const rows = new Map<string, Row>();
  for (const partition of await partitionsOf(fs, options.operands, placeOf(options, context))) {
    const { owner, directory } = partition;
    const topic = owner?.topic ?? directory.shown;
    const usage = await diskUsage(fs, partition);
    const number = owner === undefined || options.summarize === true ? {} : { partition: owner.partition };
    const before = options.summarize === true ? rows.get(topic) : undefined;
    const row = { topic, ...number, ...(before === undefined ? usage : addUsage(before, usage)) };
    rows.set(options.summarize === true ? topic : directory.path, row);
  }
  const list = [...rows.values()];
  if (options.json) printJson(context, list);
  else await printTable(context, columnsOf(options), list);
  return 0;
}

function columnsOf(options: LogDuOptions): Column<Row>[] {
  const sized = (bytes: number) => (options.human === true ? sizeText(bytes) : bytes);
  const kinds = USAGE_KINDS.map(
    (kind): Column<Row> => ({ heading: kind.toUpperCase(), value: (row) => sized(row[kind]), align: 'right' }),
  );
  const partition: Column<Row> = { heading: 'PARTITION', value: (row) => row.partition ?? '', align: 'right' };
  const topic: Column<Row> = { heading: 'TOPIC', value: (row) => row.topic };
  return options.summarize === true ? [topic, ...kinds] : [topic, partition, ...kinds];
}
