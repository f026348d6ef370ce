/**
 * `topics/<topic>.json`: one topic, replaced atomically. It is the commit point: what it says is so.
 *
 * ```json
 * {
 *   "version": 1,
 *   "topic": "orders",
 *   "topicId": "ASNFZ4mrze_-3LqYdlQyEA",
 *   "partitions": 2,                    0 … 1 exist
 *   "configs": { "retention.ms": "60000" },
 *   "state": "active",                  "creating", "importing", "deleting": no topic for anybody but who changes topics
 *   "growingTo": 4                      only while partitions are added: 2 … 3 may be there, and are nobody's
 *   "importId": "0f…"                   only in the state "importing": whose lock file says what becomes of the topic
 * }
 * ```
 */
import { join } from 'node:path';
import { KlogError } from '../errors.js';
import { type FileSystem, isDiskFull, type ReplaceOptions, readWhole, replaceFile } from '../storage/file-system.js';
import { GONE_TOPIC_SUFFIX, TOPIC_FILE_SUFFIX, TOPIC_FILE_TEMPORARY } from './layout.js';
import type { TopicConfigs } from './topic-config.js';

const VERSION = 1;
const STATES = ['creating', 'importing', 'active', 'deleting'] as const;
export type TopicState = (typeof STATES)[number];

export interface TopicFile {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
  readonly configs: TopicConfigs;
  readonly state: TopicState;
  readonly growingTo?: number | undefined;
  /** Of the import whose process fills the topic. */
  readonly importId?: string | undefined;
}

/** `undefined`: no file. The name has been checked. */
export async function readTopicFile(fs: FileSystem, directory: string, topic: string): Promise<TopicFile | undefined> {
  const path = join(directory, topic + TOPIC_FILE_SUFFIX);
  const bytes = await readWhole(fs, path);
  if (bytes !== undefined) return decodeTopicFile(bytes, path);
  const gone = join(directory, topic + GONE_TOPIC_SUFFIX);
  const left = await readWhole(fs, gone);
  return left === undefined ? undefined : { ...decodeTopicFile(left, gone), state: 'deleting' };
}

export async function writeTopicFile(
  fs: FileSystem,
  directory: string,
  file: TopicFile,
  options: ReplaceOptions = {},
): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify({ version: VERSION, ...file }, undefined, 2)}\n`);
  const name = file.topic + TOPIC_FILE_SUFFIX;
  await replaceFile(fs, directory, name, bytes, { temporaryName: TOPIC_FILE_TEMPORARY, ...options });
}

/** On a full disk there may be no block for another file, but deleting is how space is made: then the name says it. */
export async function markDeleting(fs: FileSystem, directory: string, file: TopicFile): Promise<void> {
  try {
    await writeTopicFile(fs, directory, file, { syncsName: false });
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    await fs.unlink(join(directory, TOPIC_FILE_TEMPORARY));
    const path = join(directory, file.topic);
    await fs.rename(path + TOPIC_FILE_SUFFIX, path + GONE_TOPIC_SUFFIX);
  }
  await fs.syncDirectory(directory);
}

export async function dropTopicFile(fs: FileSystem, directory: string, topic: string): Promise<void> {
  await fs.unlink(join(directory, topic + TOPIC_FILE_SUFFIX));
  await fs.unlink(join(directory, topic + GONE_TOPIC_SUFFIX));
  await fs.syncDirectory(directory);
}

/** @throws KlogError CORRUPT_MESSAGE, UNSUPPORTED_VERSION */
export function decodeTopicFile(content: Uint8Array | string, path: string): TopicFile {
  let value: unknown;
  try {
    value = JSON.parse(typeof content === 'string' ? content : textOf(content));
  } catch (cause) {
    throw damaged(path, 'it is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null) throw damaged(path, 'it is not a JSON object');
  const { version, topic, topicId, partitions, configs, state, growingTo, importId } = value as Partial<
    Record<string, unknown>
  >;
  if (version !== VERSION) {
    if (typeof version !== 'number') throw damaged(path, '"version" is missing');
    throw new KlogError('UNSUPPORTED_VERSION', `${path} has version ${version}, this klog reads version ${VERSION}`, {
      file: path,
      hint: 'Use a newer klog',
    });
  }
  if (typeof topic !== 'string') throw damaged(path, '"topic" is not a name');
  if (typeof topicId !== 'string' || !/^[A-Za-z0-9_-]{22}$/.test(topicId)) throw damaged(path, '"topicId" is no id');
  if (!isCount(partitions)) throw damaged(path, '"partitions" is not a number of partitions');
  if (!isState(state)) throw damaged(path, `"state" is none of ${STATES.join(', ')}`);
  if (growingTo !== undefined && !isCount(growingTo)) throw damaged(path, '"growingTo" is not a number of partitions');
  if (!isImportId(importId) || (state === 'importing') !== (importId !== undefined)) {
    throw damaged(path, '"importId" does not fit "state"');
  }
  return { topic, topicId, partitions, configs: decodeConfigs(configs, path), state, growingTo, importId };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function decodeConfigs(value: unknown, path: string): TopicConfigs {
  if (typeof value !== 'object' || value === null) throw damaged(path, '"configs" is not an object');
  const configs = value as Record<string, unknown>;
  for (const name of Object.keys(configs)) {
    if (typeof configs[name] !== 'string') throw damaged(path, `config "${name}" is not text`);
  }
  return configs as TopicConfigs;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 0x7fffffff;
}

function isImportId(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && /^[0-9a-f]{32}$/.test(value));
}

function isState(value: unknown): value is TopicState {
  return STATES.includes(value as TopicState);
}

function damaged(path: string, why: string, cause?: unknown): KlogError {
  return new KlogError('CORRUPT_MESSAGE', `${path} is damaged: ${why}`, {
    file: path,
    cause,
    hint: 'The records are in the directories of log/; the file can be restored from a backup',
  });
}
