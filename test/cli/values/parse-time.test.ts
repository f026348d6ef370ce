import { describe, expect, it } from 'vitest';
import { checkTimeZone, parseTime } from '../../../src/cli/values/parse-time.js';

const now = Date.parse('2024-06-15T12:00:00Z');

describe('parseTime', () => {
  it.each([
    ['now', now],
    ['0', 0],
    ['2024', 2_024_000],
    ['1700000000', 1_700_000_000_000],
    ['9999999999', 9_999_999_999_000],
    ['10000000000', 10_000_000_000],
    ['1700000000123', 1_700_000_000_123],
    ['-15m', now - 900_000],
    ['-1h30m', now - 5_400_000],
    ['+1d', now + 86_400_000],
    ['2024-05-01', Date.parse('2024-05-01T00:00:00Z')],
    ['2024-05-01T10:30', Date.parse('2024-05-01T10:30:00Z')],
    ['2024-05-01 10:30:15', Date.parse('2024-05-01T10:30:15Z')],
    ['2024-05-01T10:30:15.25Z', Date.parse('2024-05-01T10:30:15.250Z')],
    ['2024-05-01T10:30:15.123456789Z', Date.parse('2024-05-01T10:30:15.123Z')],
    ['2024-05-01T10:30:15+02:00', Date.parse('2024-05-01T08:30:15Z')],
    ['2024-05-01T10:30:15-0330', Date.parse('2024-05-01T14:00:15Z')],
    ['2024-05-01T10:30+02', Date.parse('2024-05-01T08:30:00Z')],
    ['2024-02-29', Date.parse('2024-02-29T00:00:00Z')],
    ['0050-01-01', Date.parse('0050-01-01T00:00:00Z')],
  ])('%s', (text, time) => {
    expect(parseTime(text, { now })).toBe(time);
  });

  it.each([
    '',
    '-5',
    '-',
    'soon',
    '2024-13-01',
    '2023-02-29',
    '2024-05-01T25:00',
    '2024-05-01T10',
    '10:30',
    '99999999999999999999',
    '-15',
  ])('refuses %j', (text) => {
    expect(() => parseTime(text, { now })).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });

  it.each([
    ['2024-07-01T12:00', 'Europe/Berlin', '2024-07-01T10:00:00Z'],
    ['2024-01-01T12:00', 'Europe/Berlin', '2024-01-01T11:00:00Z'],
    ['2024-01-01', 'Asia/Kolkata', '2023-12-31T18:30:00Z'],
    ['2024-03-31T03:30', 'Europe/Berlin', '2024-03-31T01:30:00Z'],
    ['2024-10-27T03:30', 'Europe/Berlin', '2024-10-27T02:30:00Z'],
    ['2024-01-01T12:00', 'UTC', '2024-01-01T12:00:00Z'],
    // As times are printed with them.
    ['2024-01-01T12:00', '+05:30', '2024-01-01T06:30:00Z'],
    ['2024-01-01T12:00', '-0800', '2024-01-01T20:00:00Z'],
    ['2024-01-01T12:00', '+02', '2024-01-01T10:00:00Z'],
    ['2024-01-01T12:00', 'z', '2024-01-01T12:00:00Z'],
  ])('%s in %s', (text, timeZone, expected) => {
    expect(new Date(parseTime(text, { now, timeZone })).toISOString()).toBe(new Date(expected).toISOString());
  });

  it('lets a zone in the text win over --tz', () => {
    expect(parseTime('2024-01-01T12:00Z', { now, timeZone: 'Asia/Tokyo' })).toBe(Date.parse('2024-01-01T12:00Z'));
  });

  it('refuses a zone that does not exist', () => {
    expect(() => checkTimeZone('Mars/Olympus')).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
    expect(checkTimeZone('Europe/Berlin')).toBe('Europe/Berlin');
  });
});
