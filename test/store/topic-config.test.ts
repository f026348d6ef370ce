import { describe, expect, it } from 'vitest';
import { DEFAULT_LOG_CONFIG } from '../../src/storage/log-config.js';
import { changeConfigs, describeConfigs, normalizeConfigs, toLogConfig } from '../../src/store/topic-config.js';
import { TOPIC_CONFIGS } from '../../src/store/topic-config-definitions.js';

function failure(operation: () => unknown): { code: string; message: string; hint?: string } {
  try {
    operation();
  } catch (error) {
    return error as { code: string; message: string; hint?: string };
  }
  throw new Error('it did not fail');
}

describe('normalizeConfigs', () => {
  it.each([
    ['retention.ms', '604800000', '604800000'],
    ['retention.ms', '7d', '604800000'],
    ['retention.ms', ' 90m ', '5400000'],
    ['retention.ms', '-1', '-1'],
    ['segment.ms', '500ms', '500'],
    ['flush.ms', '9223372036854775807', '9223372036854775807'],
    ['segment.bytes', '1G', '1073741824'],
    ['segment.bytes', '64MiB', '67108864'],
    ['segment.bytes', '512kb', '524288'],
    ['retention.bytes', '2T', '2199023255552'],
    ['retention.bytes', '10B', '10'],
    ['flush.messages', '17', '17'],
    ['min.cleanable.dirty.ratio', '0.25', '0.25'],
    ['preallocate', 'TRUE', 'true'],
    ['compression.type', 'none', 'uncompressed'],
    ['message.timestamp.type', 'LogAppendTime', 'LogAppendTime'],
    ['cleanup.policy', 'compact', 'compact'],
    ['cleanup.policy', 'delete, compact,delete', 'delete,compact'],
  ])('%s: %s is kept as %s', (name, given, kept) => {
    expect(normalizeConfigs({ [name]: given })).toEqual({ [name]: kept });
  });

  it.each([
    ['retention.ms', '-2', /from -1 to 9223372036854775807/],
    ['retention.ms', '9223372036854775808', /from -1/],
    ['retention.ms', '106751991168d', /from -1/],
    ['retention.ms', '7 d', /7d/],
    ['retention.ms', '1.5h', /milliseconds/],
    ['retention.ms', '', /milliseconds/],
    ['segment.bytes', '13', /from 14 to 2147483647/],
    ['segment.bytes', '2G', /from 14 to 2147483647/],
    ['segment.bytes', '1e9', /bytes/],
    ['segment.bytes', '7d', /64K/],
    ['segment.index.bytes', '3', /from 4/],
    ['flush.messages', '1K', /from 1/],
    ['min.cleanable.dirty.ratio', '1.01', /from 0 to 1/],
    ['min.cleanable.dirty.ratio', 'NaN', /from 0 to 1/],
    ['min.cleanable.dirty.ratio', '', /from 0 to 1/],
    ['preallocate', 'yes', /true or false/],
    ['cleanup.policy', '', /delete, compact/],
    ['cleanup.policy', 'delete,', /delete, compact/],
    ['message.timestamp.type', 'createtime', /CreateTime/],
  ])('%s: %j is refused, with what is allowed', (name, given, allowed) => {
    expect(failure(() => normalizeConfigs({ [name]: given }))).toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(allowed),
    });
  });

  it('names the nearest config, or value, to a misspelt one', () => {
    expect(failure(() => normalizeConfigs({ 'retention.sm': '1' })).hint).toBe('Did you mean retention.ms?');
    expect(failure(() => normalizeConfigs({ 'cleanup-policy': 'x' })).hint).toBe('Did you mean cleanup.policy?');
    expect(failure(() => normalizeConfigs({ 'compression.type': 'ztsd' })).hint).toBe('Did you mean zstd?');
    expect(failure(() => normalizeConfigs({ 'cleanup.policy': 'compct' })).hint).toBe('Did you mean compact?');
    expect(failure(() => normalizeConfigs({ wholly: 'different' })).hint).toMatch(/^The names are cleanup.policy,/);
  });

  it('refuses what means nothing in a directory, with the reason', () => {
    expect(failure(() => normalizeConfigs({ 'min.insync.replicas': '2' }))).toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('no replicas'),
    });
  });

  it.each(['__proto__', 'constructor', 'toString'])('does not take %s for a config', (name) => {
    const configs = JSON.parse(`{"${name}": "1"}`) as Record<string, string>;
    expect(failure(() => normalizeConfigs(configs)).code).toBe('INVALID_CONFIG');
    expect(failure(() => changeConfigs({}, { delete: [name] })).code).toBe('INVALID_CONFIG');
  });

  it('looks at configs together', () => {
    const configs = { 'min.compaction.lag.ms': '2d', 'max.compaction.lag.ms': '1d' };
    expect(failure(() => normalizeConfigs(configs)).message).toMatch(/min.compaction.lag.ms .*greater/);
  });
});

describe('changeConfigs', () => {
  const before = { 'cleanup.policy': 'compact', 'retention.ms': '1000' };

  it('sets, deletes, appends and subtracts', () => {
    expect(changeConfigs(before, { set: { 'segment.bytes': '1M' } })).toEqual({
      ...before,
      'segment.bytes': '1048576',
    });
    expect(changeConfigs(before, { delete: ['retention.ms', 'segment.ms'] })).toEqual({ 'cleanup.policy': 'compact' });
    expect(changeConfigs(before, { append: { 'cleanup.policy': 'delete' } })['cleanup.policy']).toBe('compact,delete');
    expect(changeConfigs({}, { append: { 'cleanup.policy': 'compact' } })['cleanup.policy']).toBe('delete,compact');
    const both = { 'cleanup.policy': 'compact,delete' };
    expect(changeConfigs(both, { subtract: { 'cleanup.policy': 'compact' } })).toEqual({ 'cleanup.policy': 'delete' });
    expect(before).toEqual({ 'cleanup.policy': 'compact', 'retention.ms': '1000' });
  });

  it('refuses to append to what is no list, and to take the last item away', () => {
    expect(failure(() => changeConfigs(before, { append: { 'retention.ms': '5' } })).message).toMatch(/not a list/);
    expect(failure(() => changeConfigs(before, { subtract: { 'cleanup.policy': 'compact' } })).code).toBe(
      'INVALID_CONFIG',
    );
  });
});

describe('toLogConfig', () => {
  it('gives the defaults of storage where nothing is set', () => {
    expect(toLogConfig({})).toEqual(DEFAULT_LOG_CONFIG);
  });

  it('has room for a record of 16 MiB', () => {
    expect(toLogConfig({}).maxMessageBytes).toBeGreaterThan(16 * 1024 * 1024 + 61 + 20);
  });

  it('translates every value', () => {
    const set = {
      'segment.bytes': '1K',
      'segment.ms': '1s',
      'segment.jitter.ms': '2s',
      'segment.index.bytes': '2K',
      'index.interval.bytes': '3K',
      'max.message.bytes': '4K',
      'message.timestamp.type': 'LogAppendTime',
      'message.timestamp.before.max.ms': '3s',
      'message.timestamp.after.max.ms': '4s',
      'compression.type': 'none',
      'cleanup.policy': 'delete,compact',
      'retention.ms': '5s',
      'retention.bytes': '5K',
      'file.delete.delay.ms': '6s',
      'delete.retention.ms': '7s',
      'min.compaction.lag.ms': '8s',
      'max.compaction.lag.ms': '9s',
      'min.cleanable.dirty.ratio': '0.75',
    };
    const config = toLogConfig(normalizeConfigs(set));
    expect(config).toEqual({
      segmentBytes: 1024,
      segmentMs: 1000,
      segmentJitterMs: 2000,
      segmentIndexBytes: 2048,
      indexIntervalBytes: 3072,
      maxMessageBytes: 4096,
      messageTimestampType: 'LogAppendTime',
      messageTimestampBeforeMaxMs: 3000,
      messageTimestampAfterMaxMs: 4000,
      compressionType: 'none',
      cleanupPolicy: 'compact,delete',
      retentionMs: 5000,
      retentionBytes: 5120,
      fileDeleteDelayMs: 6000,
      deleteRetentionMs: 7000,
      minCompactionLagMs: 8000,
      maxCompactionLagMs: 9000,
      minCleanableDirtyRatio: 0.75,
    });
  });
});

describe('the definitions', () => {
  it('have defaults that are valid and as Kafka writes them', () => {
    for (const [name, { default: value }] of Object.entries(TOPIC_CONFIGS)) {
      expect(normalizeConfigs({ [name]: value }), name).toEqual({ [name]: value });
    }
  });

  it('say in words what klog does not act on', () => {
    for (const [name, definition] of Object.entries(TOPIC_CONFIGS)) {
      if (!definition.actedOn) expect(definition.doc, name).toMatch(/Kept[;,]? |Kept for a broker only/);
    }
  });

  it('are all described, with where their value comes from', () => {
    const described = describeConfigs({ 'retention.ms': '1' });
    expect(described.map((entry) => entry.name)).toEqual(Object.keys(TOPIC_CONFIGS));
    expect(described.find((entry) => entry.name === 'retention.ms')).toMatchObject({ value: '1', source: 'topic' });
    expect(described.find((entry) => entry.name === 'segment.ms')).toMatchObject({
      value: '604800000',
      source: 'default',
    });
  });
});
