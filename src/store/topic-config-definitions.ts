/**
 * The topic configs klog knows: Kafka's names, defaults and limits (`LogConfig`). Where klog does something else than
 * Kafka with a value, or nothing yet, `doc` says so and `actedOn` is false.
 */

import { DEFAULT_LOG_CONFIG } from '../storage/log-config.js';

export type ConfigKind =
  | { readonly kind: 'int' | 'long'; readonly unit: 'ms' | 'bytes' | 'count'; readonly min: bigint }
  | { readonly kind: 'double'; readonly min: number; readonly max: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'list'; readonly values: readonly string[] };

export type ConfigDefinition = ConfigKind & {
  readonly default: string;
  readonly doc: string;
  /**
   * False: the value is kept, shown and handed to a broker that takes the directory over, and klog does nothing by it.
   */
  readonly actedOn: boolean;
};

const FOR_EVER = '9223372036854775807';
const NOT_YET = 'Kept; klog does not act on it yet.';
const BY_ACKS =
  'Kept for a broker only: in klog the acks of each producer say when data is synced, and readers see only what is.';

function ms(defaultValue: string, min: number, actedOn: boolean, doc: string): ConfigDefinition {
  return { kind: 'long', unit: 'ms', min: BigInt(min), default: defaultValue, actedOn, doc };
}

function bytes(defaultValue: string, min: number, actedOn: boolean, doc: string): ConfigDefinition {
  return { kind: 'int', unit: 'bytes', min: BigInt(min), default: defaultValue, actedOn, doc };
}

export const TOPIC_CONFIGS = {
  'cleanup.policy': {
    kind: 'list',
    values: ['delete', 'compact'],
    default: 'delete',
    actedOn: true,
    doc: 'What becomes of old segments: "delete" by time and size, "compact" keeps the last record of each key, or both.',
  },
  'compression.type': {
    kind: 'choice',
    values: ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'],
    default: 'producer',
    actedOn: true,
    doc: 'How producers that name no codec compress. "producer": as each producer says, else not at all.',
  },
  'delete.retention.ms': ms('86400000', 0, true, 'How long compaction keeps tombstones.'),
  'file.delete.delay.ms': ms(
    '60000',
    0,
    false,
    'Kept for a broker only: klog unlinks the files of deleted segments at once; readers keep what they have open.',
  ),
  'flush.messages': { kind: 'long', unit: 'count', min: 1n, default: FOR_EVER, actedOn: false, doc: BY_ACKS },
  'flush.ms': ms(FOR_EVER, 0, false, BY_ACKS),
  'index.interval.bytes': bytes('4096', 0, true, 'Bytes of log between two entries of the indexes.'),
  'max.compaction.lag.ms': ms(FOR_EVER, 1, true, 'Longest time a record may stay uncompacted.'),
  'max.message.bytes': bytes(
    String(DEFAULT_LOG_CONFIG.maxMessageBytes),
    0,
    true,
    "Largest record batch, as written (compressed). klog allows a record of 16 MiB; with Kafka's default of 1 MiB a pipe " +
      'whose lines may have any length would fail at the first long one.',
  ),
  'message.timestamp.after.max.ms': ms(
    FOR_EVER,
    0,
    false,
    `How far a timestamp may lie ahead of the clock. ${NOT_YET}`,
  ),
  'message.timestamp.before.max.ms': ms(FOR_EVER, 0, false, `How far a timestamp may lie behind the clock. ${NOT_YET}`),
  'message.timestamp.type': {
    kind: 'choice',
    values: ['CreateTime', 'LogAppendTime'],
    default: 'CreateTime',
    actedOn: true,
    doc: "Whose time a record carries: the producer's, or that of the append.",
  },
  'min.cleanable.dirty.ratio': {
    kind: 'double',
    min: 0,
    max: 1,
    default: '0.5',
    actedOn: true,
    doc: 'Share of a log that is uncompacted before compaction begins.',
  },
  'min.compaction.lag.ms': ms('0', 0, true, 'Shortest time a record stays uncompacted.'),
  preallocate: {
    kind: 'boolean',
    default: 'false',
    actedOn: false,
    doc: 'Kept for a broker only: klog lets segments grow, so that the size of a file is what was written.',
  },
  'retention.bytes': {
    kind: 'long',
    unit: 'bytes',
    min: -1n,
    default: '-1',
    actedOn: true,
    doc: 'Size of a partition beyond which its oldest segments are deleted; -1: no limit.',
  },
  'retention.ms': ms(
    '604800000',
    -1,
    true,
    'Age after which a segment is deleted, by its records and by when it was last written; -1: never.',
  ),
  'segment.bytes': bytes('1073741824', 14, true, 'Largest segment; a single larger batch gets one of its own.'),
  'segment.index.bytes': bytes('10485760', 4, true, 'Largest offset index; a full one begins a new segment.'),
  'segment.jitter.ms': ms(
    '0',
    0,
    true,
    'Up to so much is taken off segment.ms, at random, so that not all roll at once.',
  ),
  'segment.ms': ms('604800000', 1, true, 'Time after which a new segment begins even if this one is not full.'),
} as const satisfies Readonly<Record<string, ConfigDefinition>>;

export type TopicConfigName = keyof typeof TOPIC_CONFIGS;

/** Kafka's topic configs that mean nothing in a directory: refused, with the reason, rather than silently ignored. */
export const REFUSED_CONFIGS: Readonly<Record<string, string>> = {
  'follower.replication.throttled.replicas': 'a klog directory has no replicas',
  'leader.replication.throttled.replicas': 'a klog directory has no replicas',
  'min.insync.replicas': 'a klog directory has no replicas',
  'unclean.leader.election.enable': 'a klog directory has no replicas',
  'remote.storage.enable': 'klog has no tiered storage',
  'remote.log.copy.disable': 'klog has no tiered storage',
  'remote.log.delete.on.disable': 'klog has no tiered storage',
  'local.retention.ms': 'klog has no tiered storage',
  'local.retention.bytes': 'klog has no tiered storage',
  'message.downconversion.enable': 'klog always writes format 2; Kafka 4 has removed this config',
  'message.format.version': 'klog always writes format 2; Kafka 4 has removed this config',
  'message.timestamp.difference.max.ms': 'Kafka 4 has replaced it by message.timestamp.before.max.ms and .after.max.ms',
  'compression.gzip.level': 'klog compresses at the default level',
  'compression.lz4.level': 'klog compresses at the default level',
  'compression.zstd.level': 'klog compresses at the default level',
};

export function isTopicConfigName(name: string): name is TopicConfigName {
  return Object.hasOwn(TOPIC_CONFIGS, name);
}
