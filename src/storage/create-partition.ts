/**
 * Makes the files of a new, empty partition. Its directory is made durable, and named, by the caller (store/topics.ts).
 */
import { clockReference } from './clock-guard.js';
import { CONTROL_FILE_NAME, CONTROL_FILE_SIZE, ControlFile } from './control-file.js';
import { firstControlRecord } from './control-record.js';
import { type FileSystem, writeFully } from './file-system.js';
import { encodeLeaderEpochs, LEADER_EPOCH_CHECKPOINT } from './leader-epoch-checkpoint.js';
import type { Clock } from './log-context.js';
import { segmentFileName } from './log-files.js';
import { encodePartitionMetadata, PARTITION_METADATA } from './partition-metadata.js';

export interface NewPartition {
  /** 16 bytes as Kafka's Uuid text. */
  readonly topicId: string;
  readonly clock: Clock;
  /** Default 0. */
  readonly logStartOffset?: number;
}

/** `directory` exists and is empty. */
export async function createPartition(fs: FileSystem, directory: string, options: NewPartition): Promise<void> {
  const start = options.logStartOffset ?? 0;
  await writeNew(fs, `${directory}/${PARTITION_METADATA}`, encodePartitionMetadata(options.topicId));
  const epochs = encodeLeaderEpochs([{ epoch: 0, startOffset: start }]);
  await writeNew(fs, `${directory}/${LEADER_EPOCH_CHECKPOINT}`, epochs);
  // Empty files: their names are all there is to them, and the sync of the directory covers these.
  for (const suffix of ['.log', '.index', '.timeindex'] as const) {
    await (await fs.open(`${directory}/${segmentFileName(start, suffix)}`, 'create-new')).close();
  }
  const file = await fs.open(`${directory}/${CONTROL_FILE_NAME}`, 'create-new');
  try {
    await writeFully(file, Buffer.alloc(CONTROL_FILE_SIZE), 0, CONTROL_FILE_SIZE, 0);
    const control = new ControlFile(file, await file.stat());
    const bootId = fs.bootId();
    const record = {
      ...firstControlRecord(start, options.clock.now()),
      ...clockReference(options.clock, bootId),
    };
    await control.writeAppended({ ...record });
    await control.writeSafe({ ...record, bootId, identity: control.identity });
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.syncDirectory(directory);
}

async function writeNew(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.open(path, 'create-new');
  try {
    await writeFully(file, bytes, 0, bytes.length, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}
