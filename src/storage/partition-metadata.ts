/**
 * `partition.metadata`: the id of the topic that a partition's directory belongs to.
 *
 * ```
 * version: 0
 * topic_id: ASNFZ4mrze_-3LqYdlQyEA       no line end behind it
 * ```
 */
import { KlogError } from '../errors.js';
import { uuidFromText } from '../format/uuid.js';
import { type FileSystem, readWhole, replaceFile } from './file-system.js';

export const PARTITION_METADATA = 'partition.metadata';
const VERSION = 0;

export interface PartitionMetadata {
  /** Kafka's Uuid: 22 characters of base64url. */
  readonly topicId: string;
}

export function encodePartitionMetadata(topicId: string): Uint8Array {
  uuidFromText(topicId);
  return Buffer.from(`version: ${VERSION}\ntopic_id: ${topicId}`, 'utf8');
}

/** CORRUPT_MESSAGE, naming `file`: not as above. */
export function decodePartitionMetadata(bytes: Uint8Array, file: string = PARTITION_METADATA): PartitionMetadata {
  const fields = new Map<string, string>();
  for (const line of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8').split('\n')) {
    const colon = line.indexOf(':');
    if (colon >= 0) fields.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const version = fields.get('version');
  if (version !== String(VERSION)) throw corrupt(file, `has version ${JSON.stringify(version)}, known is ${VERSION}`);
  const topicId = fields.get('topic_id') ?? '';
  try {
    uuidFromText(topicId);
  } catch (cause) {
    throw corrupt(file, 'has no topic id that can be one', cause);
  }
  return { topicId: topicId.slice(0, 22) };
}

/** `undefined`: there is none, as before Kafka 2.8. */
export async function readPartitionMetadata(
  fs: FileSystem,
  partitionDirectory: string,
): Promise<PartitionMetadata | undefined> {
  const file = `${partitionDirectory}/${PARTITION_METADATA}`;
  const bytes = await readWhole(fs, file);
  return bytes === undefined ? undefined : decodePartitionMetadata(bytes, file);
}

export async function writePartitionMetadata(
  fs: FileSystem,
  partitionDirectory: string,
  topicId: string,
): Promise<void> {
  await replaceFile(fs, partitionDirectory, PARTITION_METADATA, encodePartitionMetadata(topicId));
}

function corrupt(file: string, what: string, cause?: unknown): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `${file} ${what}`, { file, cause });
}
