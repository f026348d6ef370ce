/** The bodies of an archive that are JSON, decoded and checked. All throw KLOG_BAD_INPUT. */
import { KlogError } from '../errors.js';
import {
  type ArchivedGroup,
  type ArchivedOffset,
  type ArchivedPartition,
  type ArchivedTopic,
  type ArchiveTotals,
  MAX_JSON_BODY,
} from './archive-format.js';

export function decodeArchivedTopic(body: Buffer): ArchivedTopic {
  const { topic, topicId, configs, partitions } = parseObject(body);
  if (typeof topic !== 'string' || typeof topicId !== 'string') throw bad('"topic" and "topicId" must be text');
  if (!isObject(configs) || !Object.values(configs).every((value) => typeof value === 'string')) {
    throw bad('"configs" must be names and texts');
  }
  if (!Array.isArray(partitions) || partitions.length === 0) throw bad('"partitions" must be a list');
  return { topic, topicId, configs: configs as Record<string, string>, partitions: partitions.map(decodeRange) };
}

function decodeRange(value: unknown): ArchivedPartition {
  if (!Array.isArray(value) || value.length !== 2) throw bad('a partition must have a start and an end');
  const [startOffset, endOffset] = value as unknown[];
  if (!isCount(startOffset) || !isCount(endOffset) || startOffset > endOffset) {
    throw bad(`a partition cannot have the offsets ${JSON.stringify(value)}`);
  }
  return { startOffset, endOffset };
}

export function decodePartition(body: Buffer): { readonly topic: string; readonly partition: number } {
  const { topic, partition } = parseObject(body);
  if (typeof topic !== 'string' || !isCount(partition)) throw bad('"topic" and "partition" must name a partition');
  return { topic, partition };
}

export function decodeArchivedGroup(body: Buffer): ArchivedGroup {
  const { group, offsets } = parseObject(body);
  if (typeof group !== 'string' || group === '' || !Array.isArray(offsets))
    throw bad('it must name a group and offsets');
  return { group, offsets: offsets.map(decodeOffset) };
}

function decodeOffset(value: unknown): ArchivedOffset {
  const [topic, partition, offset, metadata = ''] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof topic !== 'string' || !isCount(partition) || !isCount(offset) || typeof metadata !== 'string') {
    throw bad(`${JSON.stringify(value)?.slice(0, 80)} is no offset of a partition`);
  }
  return { topic, partition, offset, metadata };
}

export function decodeTotals(body: Buffer): ArchiveTotals {
  const { sections, topics, batches, records, recordBytes, digest } = parseObject(body);
  const totals = { sections, topics, batches, records, recordBytes, digest };
  if (!Object.values(totals).every(isCount)) throw bad('the totals must be numbers');
  return totals as ArchiveTotals;
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> {
  if (body.length > MAX_JSON_BODY) throw bad(`it has ${body.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch (cause) {
    throw new KlogError('KLOG_BAD_INPUT', 'it is not JSON', { cause });
  }
  if (!isObject(value)) throw bad('it is no JSON object');
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function bad(message: string): KlogError {
  return new KlogError('KLOG_BAD_INPUT', message);
}
