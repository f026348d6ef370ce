import { KlogError } from '../errors.js';
import type { CompressionType } from '../format/compression.js';
import type { LogConfig } from '../storage/log-config.js';
import { parseBytes, parseInteger, parseMilliseconds } from './config-units.js';
import { nearestName } from './nearest-name.js';
import {
  type ConfigDefinition,
  isTopicConfigName,
  REFUSED_CONFIGS,
  TOPIC_CONFIGS,
  type TopicConfigName,
} from './topic-config-definitions.js';

/** By Kafka's names; values are text as Kafka writes them. */
export type TopicConfigs = Readonly<Record<string, string>>;

export interface ConfigChange {
  readonly set?: TopicConfigs;
  /** Back to the default. */
  readonly delete?: readonly string[];
  /** Adds to, or takes from, a list value such as `cleanup.policy`. */
  readonly append?: TopicConfigs;
  readonly subtract?: TopicConfigs;
}

export interface TopicConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly source: 'topic' | 'default';
}

const LARGEST = { int: 2n ** 31n - 1n, long: 2n ** 63n - 1n } as const;

/**
 * Checks configs as a user gives them and writes their values as Kafka does: `7d` becomes `604800000`.
 * @throws KlogError INVALID_CONFIG
 */
export function normalizeConfigs(configs: TopicConfigs): TopicConfigs {
  const normalized: Record<string, string> = {};
  for (const [name, value] of Object.entries(configs)) normalized[knownName(name)] = normalizeValue(name, value);
  checkTogether(normalized);
  return sorted(normalized);
}

/** The configs after a change. `delete` comes first, then `set`, `append`, `subtract`. */
export function changeConfigs(current: TopicConfigs, change: ConfigChange): TopicConfigs {
  const next: Record<string, string> = { ...current };
  for (const name of change.delete ?? []) delete next[knownName(name)];
  for (const [name, value] of Object.entries(change.set ?? {})) next[knownName(name)] = normalizeValue(name, value);
  for (const [name, value] of Object.entries(change.append ?? {})) {
    next[knownName(name)] = [...new Set([...listOf(name, next), ...itemsOf(name, value)])].join(',');
  }
  for (const [name, value] of Object.entries(change.subtract ?? {})) {
    const taken = itemsOf(name, value);
    const left = listOf(name, next).filter((item) => !taken.includes(item));
    next[knownName(name)] = normalizeValue(name, left.join(','));
  }
  checkTogether(next);
  return sorted(next);
}

/** Every config with its value. Kafka: `describeConfigs`. */
export function describeConfigs(configs: TopicConfigs): TopicConfigEntry[] {
  return Object.entries(TOPIC_CONFIGS).map(([name, definition]) => {
    const value = own(configs, name);
    return { name, value: value ?? definition.default, source: value === undefined ? 'default' : 'topic' };
  });
}

function configValue(configs: TopicConfigs, name: TopicConfigName): string {
  return own(configs, name) ?? TOPIC_CONFIGS[name].default;
}

/** The configs as storage wants them: parsed, with the defaults filled in. */
export function toLogConfig(configs: TopicConfigs): LogConfig {
  const number = (name: TopicConfigName) => numberOf(configs, name);
  const compression = configValue(configs, 'compression.type');
  const policies = configValue(configs, 'cleanup.policy').split(',');
  return {
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    segmentJitterMs: number('segment.jitter.ms'),
    segmentIndexBytes: number('segment.index.bytes'),
    indexIntervalBytes: number('index.interval.bytes'),
    maxMessageBytes: number('max.message.bytes'),
    messageTimestampType: configValue(configs, 'message.timestamp.type') as LogConfig['messageTimestampType'],
    messageTimestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    messageTimestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    compressionType: compression === 'uncompressed' ? 'none' : (compression as 'producer' | CompressionType),
    cleanupPolicy: policies.length === 2 ? 'compact,delete' : (policies[0] as 'delete' | 'compact'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    deleteRetentionMs: number('delete.retention.ms'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
  };
}

/** Beyond 2^53 - 1 stands for any: Kafka's own "for ever" is 2^63 - 1. */
function numberOf(configs: TopicConfigs, name: TopicConfigName): number {
  const value = Number(configValue(configs, name));
  return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
}

function knownName(name: string): TopicConfigName {
  if (isTopicConfigName(name)) return name;
  const refused = own(REFUSED_CONFIGS, name);
  if (refused !== undefined) throw new KlogError('INVALID_CONFIG', `topic config ${name} is not supported: ${refused}`);
  const nearest = nearestName(name, Object.keys(TOPIC_CONFIGS));
  throw new KlogError('INVALID_CONFIG', `unknown topic config ${JSON.stringify(name)}`, {
    hint: nearest === undefined ? `The names are ${Object.keys(TOPIC_CONFIGS).join(', ')}` : `Did you mean ${nearest}?`,
  });
}

function normalizeValue(name: string, given: unknown): string {
  if (typeof given !== 'string') throw new TypeError(`topic config ${name} must be text, not ${typeof given}`);
  const definition: ConfigDefinition = TOPIC_CONFIGS[knownName(name)];
  const value = given.trim();
  switch (definition.kind) {
    case 'int':
    case 'long': {
      const number = PARSERS[definition.unit](value);
      const largest = LARGEST[definition.kind];
      if (number !== undefined && number >= definition.min && number <= largest) return number.toString();
      throw invalid(name, given, `${UNITS[definition.unit]} from ${definition.min} to ${largest}`);
    }
    case 'double': {
      const number = Number(value);
      if (value !== '' && number >= definition.min && number <= definition.max) return String(number);
      throw invalid(name, given, `a number from ${definition.min} to ${definition.max}`);
    }
    case 'boolean': {
      const lower = value.toLowerCase();
      if (lower === 'true' || lower === 'false') return lower;
      throw invalid(name, given, 'true or false');
    }
    case 'choice': {
      // Elsewhere in klog "no compression" is called none.
      const meant = name === 'compression.type' && value === 'none' ? 'uncompressed' : value;
      if (definition.values.includes(meant)) return meant;
      throw invalid(name, given, `one of ${definition.values.join(', ')}`, nearestName(value, definition.values));
    }
    case 'list':
      return itemsOf(name, value).join(',');
  }
}

const PARSERS = { ms: parseMilliseconds, bytes: parseBytes, count: parseInteger };
const UNITS = {
  ms: 'milliseconds (or 500ms, 15m, 7d)',
  bytes: 'bytes (or 64K, 16M, 1G)',
  count: 'a number',
};

function itemsOf(name: string, value: string): string[] {
  const definition: ConfigDefinition = TOPIC_CONFIGS[knownName(name)];
  if (definition.kind !== 'list') {
    throw new KlogError(
      'INVALID_CONFIG',
      `topic config ${name} is not a list: it can be set, not added to or taken from`,
    );
  }
  const items = value.split(',').map((item) => item.trim());
  const wrong = items.find((item) => !definition.values.includes(item));
  if (wrong !== undefined) {
    const nearest = nearestName(wrong, definition.values);
    throw invalid(name, value, `${definition.values.join(', ')} or both, with a comma`, nearest);
  }
  return [...new Set(items)];
}

function listOf(name: string, configs: Readonly<Record<string, string>>): string[] {
  return itemsOf(name, configValue(configs, knownName(name)));
}

function checkTogether(configs: TopicConfigs): void {
  const least = BigInt(configValue(configs, 'min.compaction.lag.ms'));
  const most = BigInt(configValue(configs, 'max.compaction.lag.ms'));
  if (least <= most) return;
  const message = `min.compaction.lag.ms (${least}) is greater than max.compaction.lag.ms (${most})`;
  throw new KlogError('INVALID_CONFIG', message);
}

function invalid(name: string, value: string, allowed: string, nearest?: string): KlogError {
  const message = `topic config ${name} cannot be ${JSON.stringify(value)}: allowed is ${allowed}`;
  return new KlogError('INVALID_CONFIG', message, {
    hint: nearest === undefined ? undefined : `Did you mean ${nearest}?`,
  });
}

function own(record: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function sorted(configs: Readonly<Record<string, string>>): TopicConfigs {
  return Object.fromEntries(Object.entries(configs).sort(([a], [b]) => (a < b ? -1 : 1)));
}
