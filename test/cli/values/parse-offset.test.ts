import { describe, expect, it } from 'vitest';
import { parseOffset, parseOffsetPoint } from '../../../src/cli/values/parse-offset.js';

const now = Date.parse('2024-06-15T12:00:00Z');
const at = (text: string) => ({ timestamp: Date.parse(text) });

describe('parseOffset', () => {
  it.each([
    ['start', { from: 'start' }],
    ['beginning', { from: 'start' }],
    ['earliest', { from: 'start' }],
    ['oldest', { from: 'start' }],
    ['end', { from: 'end' }],
    ['latest', { from: 'end' }],
    ['newest', { from: 'end' }],
    ['0', { from: 0 }],
    ['42', { from: 42 }],
    ['42:', { from: 42 }],
    ['10:20', { from: 10, to: 20 }],
    ['10-20', { from: 10, to: 20 }],
    ['10:10', { from: 10, to: 10 }],
    [':20', { to: 20 }],
    [':end', { to: 'end' }],
    ['start:end', { from: 'start', to: 'end' }],
    ['start:5', { from: 'start', to: 5 }],
    ['5:end', { from: 5, to: 'end' }],
    ['-5', { from: { fromEnd: 5 } }],
    ['+5', { from: { fromStart: 5 } }],
    ['start+5', { from: { fromStart: 5 } }],
    ['end-5', { from: { fromEnd: 5 } }],
    [':end-5', { to: { fromEnd: 5 } }],
    ['-10:-5', { from: { fromEnd: 10 }, to: { fromEnd: 5 } }],
    ['+1:+3', { from: { fromStart: 1 }, to: { fromStart: 3 } }],
    ['5:@now', { from: 5, to: { timestamp: now } }],
  ])('%s', (text, expected) => {
    expect(parseOffset(text, { now })).toEqual(expected);
  });

  it.each([
    ['@1700000000', { from: { timestamp: 1_700_000_000_000 } }],
    ['@1700000000123', { from: { timestamp: 1_700_000_000_123 } }],
    ['@1700000000:', { from: { timestamp: 1_700_000_000_000 } }],
    ['@:1700000000', { to: { timestamp: 1_700_000_000_000 } }],
    ['@1700000000:1700000060', { from: { timestamp: 1_700_000_000_000 }, to: { timestamp: 1_700_000_060_000 } }],
    ['@-1h', { from: at('2024-06-15T11:00:00Z') }],
    ['@1h', { from: at('2024-06-15T11:00:00Z') }],
    ['@-1h:-30m', { from: at('2024-06-15T11:00:00Z'), to: at('2024-06-15T11:30:00Z') }],
    ['@-1h:now', { from: at('2024-06-15T11:00:00Z'), to: { timestamp: now } }],
    ['@-1h:end', { from: at('2024-06-15T11:00:00Z'), to: 'end' }],
    ['@2024-05-01', { from: at('2024-05-01T00:00:00Z') }],
    ['@2024-05-01:2024-05-02', { from: at('2024-05-01T00:00:00Z'), to: at('2024-05-02T00:00:00Z') }],
    ['@2024-05-01:1h', { from: at('2024-05-01T00:00:00Z'), to: at('2024-05-01T01:00:00Z') }],
    ['@2024-05-01T10:00', { from: at('2024-05-01T10:00:00Z') }],
    ['@2024-05-01T10:00:30', { from: at('2024-05-01T10:00:30Z') }],
    ['@2024-05-01T10:00:2024-05-01T11:00', { from: at('2024-05-01T10:00:00Z'), to: at('2024-05-01T11:00:00Z') }],
    [
      '@2024-05-01T10:00:00Z:2024-05-01T11:00:00Z',
      { from: at('2024-05-01T10:00:00Z'), to: at('2024-05-01T11:00:00Z') },
    ],
    ['@2024-05-01T10:00Z:@2024-05-01T11:00Z', { from: at('2024-05-01T10:00:00Z'), to: at('2024-05-01T11:00:00Z') }],
    ['@2024-05-01T10:00+02:00', { from: at('2024-05-01T08:00:00Z') }],
  ])('reads times: %s', (text, expected) => {
    expect(parseOffset(text, { now })).toEqual(expected);
  });

  it('reads a range per partition', () => {
    const { partitions } = parseOffset('0=5,1=7:9,12=-3', { now });
    expect([...(partitions ?? [])]).toEqual([
      [0, { from: 5 }],
      [1, { from: 7, to: 9 }],
      [12, { from: { fromEnd: 3 } }],
    ]);
  });

  it("joins kcat's s@ and e@", () => {
    const first = parseOffset('s@1700000000000', { now });
    expect(parseOffset('e@1700000060000', { now }, first)).toEqual({
      from: { timestamp: 1_700_000_000_000 },
      to: { timestamp: 1_700_000_060_000 },
    });
    expect(parseOffset('stored', { now })).toEqual({ stored: true });
  });

  it('takes times without a zone in the zone of --tz', () => {
    expect(parseOffset('@2024-07-01T12:00', { now, timeZone: 'Europe/Berlin' })).toEqual({
      from: at('2024-07-01T10:00:00Z'),
    });
  });

  it.each([
    '',
    ':',
    '@',
    '@:',
    'middle',
    '1.5',
    '-',
    '+',
    '5x',
    '20:10',
    '20-10',
    '-5:-10',
    '+3:+1',
    '@-1h:-2h',
    '0=5,0=6',
    '0=',
    '0=x',
    '0=1,x',
    'start-5',
    'end+5',
    '1:2:3',
    '99999999999999999999',
    '@soon',
    's@',
    '--5',
  ])('refuses %j', (text) => {
    expect(() => parseOffset(text, { now })).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});

describe('parseOffsetPoint', () => {
  it.each([
    ['42', 42],
    ['start', 'start'],
    ['-5', { fromEnd: 5 }],
    ['-15m', { timestamp: now - 900_000 }],
    ['now', { timestamp: now }],
    ['2024-05-01', at('2024-05-01T00:00:00Z')],
    ['@1700000000', { timestamp: 1_700_000_000_000 }],
  ])('%s', (text, expected) => {
    expect(parseOffsetPoint(text, { now })).toEqual(expected);
  });

  it.each(['', '10:20', 'x', '@'])('refuses %j', (text) => {
    expect(() => parseOffsetPoint(text, { now })).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});
