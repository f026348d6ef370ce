import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';
import type { CliContext } from '../cli-context.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { withClient } from '../open-client.js';
import { onlyPartition, parsePartitionOperand } from '../values/parse-partition.js';
import { type IsolationOptions, isolationLevelOf } from './isolation-level.js';
import { type PrintOptions, printerFor } from './print-options.js';
import { printRecords } from './print-records.js';
import { timeContext } from './record-selection.js';

export interface GetOptions extends GlobalOptions, PrintOptions, IsolationOptions {
  /** `T@OFFSET`, `T:P@OFFSET`. */
  readonly record: string;
  readonly json: boolean;
}

/** One record. KLOG_NOT_FOUND where there is none. */
export async function runGet(options: GetOptions, context: CliContext): Promise<ExitCode> {
  const operand = parsePartitionOperand(options.record, timeContext(options, context));
  const { topic, offset } = operand;
  if (offset === undefined) {
    throw new KlogError('KLOG_USAGE', `'${options.record}' names no record`, {
      hint: 'Records look like orders@42 or orders:0@42',
    });
  }
  validateTopicName(topic);
  const printer = await printerFor(options, context);
  const isolationLevel = await isolationLevelOf(options, context);
  return withClient<ExitCode>(options, context, { topics: [topic] }, async (client) => {
    const describe = () => client.admin().describeTopic(topic);
    const partition = operand.partition ?? onlyPartition(topic, (await describe()).partitions, `${topic}:0@42`);
    // An offset in a gap (compaction, a transaction's marker) has no record; a time or a place from an end means the
    // next one.
    const isOne = typeof offset === 'number' && offset < Number.MAX_SAFE_INTEGER;
    const range = { partition, from: offset, ...(isOne ? { to: offset + 1 } : {}) };
    const { signal } = context.signals;
    const consumer = client.consumer({ topics: [{ topic, partitions: [range] }], isolationLevel, signal });
    try {
      const task = { printer, output: context.stdout, maxRecords: 1 };
      if ((await printRecords(consumer.batches(), task)) === 1) return 0;
    } finally {
      await consumer.close();
    }
    if (signal.aborted) return 0;
    const at = typeof offset === 'number' ? `offset ${offset}` : options.record.split('@').at(-1);
    throw new KlogError('KLOG_NOT_FOUND', `${topic}:${partition} has no record at ${at}`, {
      topic,
      partition,
      ...(typeof offset === 'number' ? { offset } : {}),
    });
  });
}
