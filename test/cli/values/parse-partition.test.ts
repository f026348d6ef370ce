import { describe, expect, it } from 'vitest';
import { parsePartitionList, parsePartitionOperand } from '../../../src/cli/values/parse-partition.js';

const time = { now: 0 };

describe('parsePartitionOperand', () => {
  it.each([
    ['orders', { topic: 'orders' }],
    ['orders:0', { topic: 'orders', partition: 0 }],
    ['orders[12]', { topic: 'orders', partition: 12 }],
    ['orders:3@42', { topic: 'orders', partition: 3, offset: 42 }],
    ['orders[3]@42', { topic: 'orders', partition: 3, offset: 42 }],
    ['orders@42', { topic: 'orders', offset: 42 }],
    ['orders@-1', { topic: 'orders', offset: { fromEnd: 1 } }],
    ['orders@start', { topic: 'orders', offset: 'start' }],
    ['orders.eu-1_x', { topic: 'orders.eu-1_x' }],
  ])('%s', (text, expected) => {
    expect(parsePartitionOperand(text, time)).toEqual(expected);
  });

  it.each([
    '',
    ':0',
    'orders:',
    'orders:x',
    'orders[0',
    'orders[]',
    'orders@',
    '@5',
    'orders:0:1',
    'orders:-1',
    'orders@1:2',
  ])('refuses %j', (text) => {
    expect(() => parsePartitionOperand(text, time)).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});

describe('parsePartitionList', () => {
  it.each([
    ['0', [0]],
    ['0,1,4-7', [0, 1, 4, 5, 6, 7]],
    ['3,1,3', [1, 3]],
    ['2-2', [2]],
    ['0, 1', [0, 1]],
  ])('%s', (text, expected) => {
    expect(parsePartitionList(text)).toEqual(expected);
  });

  it.each(['', ',', '1,', 'a', '3-1', '-1', '0-999999999'])('refuses %j', (text) => {
    expect(() => parsePartitionList(text)).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});
