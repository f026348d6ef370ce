/** Partitions that klog itself wrote, in a data directory without a registry of topics. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RecordBatchBuilder } from '../../../src/format/record-batch-builder.js';
import { createPartition } from '../../../src/storage/create-partition.js';
import { nodeFileSystem } from '../../../src/storage/file-system-node.js';
import { DEFAULT_LOG_CONFIG } from '../../../src/storage/log-config.js';
import { PartitionLog } from '../../../src/storage/partition-log.js';

const TIMESTAMP = 1_700_000_000_000;
const clock = { now: () => TIMESTAMP };

export interface OwnPartition {
  readonly directory: string;
  readonly log: PartitionLog;
  /** One batch; resolves when it is durable unless `durable` is false. */
  append(values: readonly string[], durable?: boolean): Promise<void>;
}

/** `<data>/log/<topic>-<partition>`. The caller closes the log. */
export async function makePartition(
  data: string,
  topic: string,
  partition: number,
  segmentBytes = DEFAULT_LOG_CONFIG.segmentBytes,
): Promise<OwnPartition> {
  const directory = join(data, 'log', `${topic}-${partition}`);
  mkdirSync(directory, { recursive: true });
  await createPartition(nodeFileSystem, directory, { topicId: 'ASNFZ4mrze_-3LqYdlQyEA', clock });
  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes };
  const log = await PartitionLog.open(nodeFileSystem, directory, { topic, partition, config, clock });
  const append = async (values: readonly string[], durable = true) => {
    const appended = await log.append([batchOf(values)]);
    if (durable) await log.durable(appended);
  };
  return { directory, log, append };
}

/** Keys are `k`, times rise by 1. */
export function batchOf(values: readonly string[], baseOffset = 0): Uint8Array {
  const builder = new RecordBatchBuilder();
  const key = Buffer.from('k');
  values.forEach((value, i) => {
    const bytes = Buffer.from(value);
    builder.append(key, 0, key.length, bytes, 0, bytes.length, TIMESTAMP + i, null);
  });
  return Buffer.from(builder.build({ baseOffset, partitionLeaderEpoch: 0 }));
}
