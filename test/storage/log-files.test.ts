import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parsePartitionDirectoryName,
  parseSegmentFileName,
  partitionDirectoryInState,
  partitionDirectoryName,
  segmentBaseOffsets,
  segmentFileName,
} from '../../src/storage/log-files.js';

const topic = fc.stringMatching(/^[A-Za-z0-9._-]{1,249}$/);
const unique = '0123456789abcdef0123456789abcdef';

describe('segment files', () => {
  it('have the base offset in 20 digits', () => {
    expect(segmentFileName(42, '.log')).toBe('00000000000000000042.log');
    expect(segmentFileName(Number.MAX_SAFE_INTEGER, '.timeindex', '.swap')).toBe('00009007199254740991.timeindex.swap');
  });

  it.each([
    ['00000000000000000042.log', { baseOffset: 42, suffix: '.log', state: undefined }],
    ['00000000000000000000.snapshot.deleted', { baseOffset: 0, suffix: '.snapshot', state: '.deleted' }],
    ['42.log', undefined],
    ['00000000000000000042.log.tmp', undefined],
    ['00000000000000000042.log.cut-17', undefined],
    ['99999999999999999999.log', undefined],
    ['00000000000000000042-0000000001.checkpoint', undefined],
    ['00000000000000000042xlog', undefined],
    ['klog.end', undefined],
  ])('%s is parsed', (name, expected) => {
    expect(parseSegmentFileName(name)).toEqual(expected);
  });

  it('are listed in the order of offsets, without those on their way out', () => {
    const names = ['100.log', '00000000000000000100.log', '00000000000000000009.log', '00000000000000000009.index'];
    expect(segmentBaseOffsets([...names, '00000000000000000200.log.deleted'])).toEqual([9, 100]);
  });
});

describe('partition directories', () => {
  it('split at the last dash', () => {
    fc.assert(
      fc.property(topic, fc.integer({ min: 0, max: 0x7fffffff }), (name, partition) => {
        // A topic may be named like a directory on its way out; such a one is read as that, by Kafka too.
        fc.pre(!/\.[0-9a-f]{32}-(delete|future|stray)$/.test(partitionDirectoryName(name, partition)));
        expect(parsePartitionDirectoryName(partitionDirectoryName(name, partition))).toEqual({
          topic: name,
          partition,
          state: undefined,
        });
      }),
    );
  });

  it.each(['delete', 'stray'] as const)('on the way (%s) have names that are not too long', (state) => {
    for (const length of [1, 100, 249]) {
      const name = partitionDirectoryInState('t'.repeat(length), 12345, state, unique);
      expect(name.length).toBeLessThanOrEqual(255);
      expect(parsePartitionDirectoryName(name)).toMatchObject({ partition: 12345, state });
    }
    expect(partitionDirectoryInState('a-b', 3, state, unique)).toBe(`a-b-3.${unique}-${state}`);
    expect(parsePartitionDirectoryName(`a-b-3.${unique}-future`)).toEqual({
      topic: 'a-b',
      partition: 3,
      state: 'future',
    });
  });

  it.each([
    'orders',
    'orders-',
    '-0',
    'orders-00',
    'orders-2147483648',
    'orders-0.tmp',
    'orders--1x',
    'meta.properties',
  ])('%s is none', (name) => {
    expect(parsePartitionDirectoryName(name)).toBeUndefined();
  });
});
