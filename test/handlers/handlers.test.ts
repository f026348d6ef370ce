import { describe, expect, it } from 'vitest';
import { AcknowledgementLines, acknowledgementOf, namedBy } from '../../src/handlers/acknowledgement-lines.js';
import { FinishedOffsets } from '../../src/handlers/finished-offsets.js';
import { recordEnvironment, withoutRecord } from '../../src/handlers/record-environment.js';
import { backoffMs } from '../../src/handlers/retries.js';
import { record } from './support.js';

describe('the pause before another attempt', () => {
  it('is 100 ms and doubles to 10 s', () => {
    expect([1, 2, 3, 7, 8, 50].map(backoffMs)).toEqual([100, 200, 400, 6400, 10_000, 10_000]);
  });
});

describe('acknowledgement lines', () => {
  it('come whole, whatever pieces they arrive in', () => {
    const lines = new AcknowledgementLines();
    expect(lines.push(Buffer.from('o'))).toEqual([]);
    expect(lines.push(Buffer.from('k\nok\r\nno: '))).toEqual(['ok', 'ok']);
    expect(lines.push(Buffer.from('é').subarray(0, 1))).toEqual([]);
    expect(lines.push(Buffer.concat([Buffer.from('é').subarray(1), Buffer.from('\n')]))).toEqual(['no: é']);
  });

  it('are given up when one has no end', () => {
    const lines = new AcknowledgementLines();
    const kilobytes = Buffer.alloc(60 * 1024, 'x');
    expect(lines.push(kilobytes)).toEqual([]);
    expect(lines.push(kilobytes)).toBeUndefined();
  });

  it('acknowledge by ok alone', () => {
    expect(acknowledgementOf('ok')).toBeUndefined();
    expect(acknowledgementOf(' ok ')).toBeUndefined();
    expect(acknowledgementOf('ok t:0@42')).toBeUndefined();
    expect(namedBy(' ok  t:0@42 ')).toBe('t:0@42');
    expect(namedBy('ok')).toBeUndefined();
    expect(acknowledgementOf('ok t:0')).toEqual({ reason: 'ok t:0' });
    expect(acknowledgementOf('okay')).toEqual({ reason: 'okay' });
    expect(acknowledgementOf('no such user')).toEqual({ reason: 'no such user' });
    expect(acknowledgementOf('')).toEqual({ reason: 'an empty line instead of ok' });
  });
});

describe('finished offsets', () => {
  const place = { topic: 't', partition: 0 };

  it('stop at the lowest that is unfinished', () => {
    const offsets = new FinishedOffsets();
    expect(offsets.next(place)).toBeUndefined();
    for (const offset of [5, 7, 8]) offsets.begin(place, offset);
    offsets.finish(place, 7);
    expect(offsets.next(place)).toBe(5);
    offsets.finish(place, 5);
    expect(offsets.next(place)).toBe(8);
    offsets.pass(place, 12);
    expect(offsets.next(place)).toBe(8);
    offsets.finish(place, 8);
    expect(offsets.next(place)).toBe(13);
  });

  it('are of each partition on its own, and can be forgotten', () => {
    const offsets = new FinishedOffsets();
    offsets.begin(place, 5);
    offsets.pass({ topic: 't', partition: 1 }, 3);
    expect(offsets.next({ topic: 't', partition: 1 })).toBe(4);
    offsets.forget(place);
    offsets.finish(place, 5);
    expect(offsets.next(place)).toBeUndefined();
  });
});

describe("a handler's environment", () => {
  it('has the key only where it is text', () => {
    const text = recordEnvironment(record(7, { key: Buffer.from('clé') }));
    expect(text).toMatchObject({ KLOG_RECORD_OFFSET: '7', KLOG_RECORD_KEY: 'clé', KLOG_RECORD_KEY_BASE64: 'Y2zDqQ==' });
    expect(recordEnvironment(record(7))).not.toHaveProperty('KLOG_RECORD_KEY_BASE64');
    for (const key of [Buffer.from([0xff]), Buffer.from('a\0b')]) {
      const binary = recordEnvironment(record(7, { key }));
      expect(binary).toHaveProperty('KLOG_RECORD_KEY_BASE64');
      expect(binary).not.toHaveProperty('KLOG_RECORD_KEY');
    }
  });

  it('has headers as JSON, in order, repeated, null and binary', () => {
    const headers = [
      { key: 'h', value: Buffer.from('x') },
      { key: 'h', value: null },
      { key: 'b', value: Buffer.from([0x80]) },
    ];
    expect(JSON.parse(recordEnvironment(record(0, { headers })).KLOG_RECORD_HEADERS!)).toEqual([
      { key: 'h', value: 'x' },
      { key: 'h', value: null },
      { key: 'b', valueBase64: 'gA==' },
    ]);
  });

  it('has nothing of a record that klog itself was started for', () => {
    expect(withoutRecord({ PATH: '/bin', KLOG_RECORD_KEY: 'outer', KLOG_DIR: 'd' })).toEqual({
      PATH: '/bin',
      KLOG_DIR: 'd',
    });
  });
});
