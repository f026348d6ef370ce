/** The partition whose bits are flipped, and what each file's bits are. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordBatchBuilder } from '../../src/format/record-batch-builder.js';
import { createPartition } from '../../src/storage/create-partition.js';
import { nodeFileSystem } from '../../src/storage/file-system-node.js';
import { DEFAULT_LOG_CONFIG } from '../../src/storage/log-config.js';
import { PartitionLog } from '../../src/storage/partition-log.js';

const TOPIC_ID = 'ASNFZ4mrze_-3LqYdlQyEA';
const TIMESTAMP = 1_700_000_000_000;
export const PARTITION_BYTES = 64 * 1024;
const SEGMENT_BYTES = PARTITION_BYTES / 2;

/** Two segments of together a little under 64 KiB, batches of five records of about 1 KiB. Answers its directory. */
export async function makeFlipPartition(data: string): Promise<string> {
  const directory = join(data, 'log', 't-0');
  mkdirSync(directory, { recursive: true });
  mkdirSync(join(data, 'topics'));
  const topic = { version: 1, topic: 't', topicId: TOPIC_ID, partitions: 1, configs: {}, state: 'active' };
  writeFileSync(join(data, 'topics', 't.json'), JSON.stringify(topic));
  const clock = { now: () => TIMESTAMP };
  await createPartition(nodeFileSystem, directory, { topicId: TOPIC_ID, clock });
  const config = { ...DEFAULT_LOG_CONFIG, segmentBytes: SEGMENT_BYTES };
  const log = await PartitionLog.open(nodeFileSystem, directory, { topic: 't', partition: 0, config, clock });
  const builder = new RecordBatchBuilder();
  let bytes = 0;
  for (let batch = 0; ; batch++) {
    builder.reset();
    for (let i = 0; i < 5; i++) {
      const key = Buffer.from(`key-${batch}-${i}`);
      const value = Buffer.from(`${batch} ${i} `.padEnd(180, 'klog '));
      builder.append(key, 0, key.length, value, 0, value.length, TIMESTAMP + batch * 10 + i, null);
    }
    const built = Buffer.from(builder.build({ baseOffset: 0, partitionLeaderEpoch: 0 }));
    bytes += built.length;
    if (bytes > PARTITION_BYTES) break;
    await log.durable(await log.append([built]));
  }
  await log.close();
  return directory;
}
