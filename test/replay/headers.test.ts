import { describe, expect, it } from 'vitest';
import type { RecordHeader } from '../../src/format/log-record.js';
import { withErrorHeaders, withoutErrorHeaders } from '../../src/replay/error-headers.js';
import { originHeaders, originOf, withoutOrigin } from '../../src/replay/origin-headers.js';
import { destinationOf, redrivenHeaders, redrivesOf } from '../../src/replay/redrive-headers.js';

const header = (key: string, value: string | Uint8Array | null): RecordHeader => ({
  key,
  value: value === null ? null : Buffer.from(value),
});

describe('headers of a record that failed', () => {
  it("stand behind its own, by Kafka Connect's names, and replace those of an earlier failure", () => {
    const own = [
      { key: 'h', value: null },
      { key: '__connect.errors.topic', value: Buffer.from('earlier') },
      { key: 'klog.errors.attempts', value: Buffer.from('9') },
    ];
    const failure = { topic: 't', partition: 2, offset: 5, code: 'KLOG_HANDLER_FAILED', reason: 'no', attempts: 4 };
    const headers = withErrorHeaders(own, failure);
    expect(headers.map(({ key, value }) => [key, value === null ? null : String(value)])).toEqual([
      ['h', null],
      ['__connect.errors.topic', 't'],
      ['__connect.errors.partition', '2'],
      ['__connect.errors.offset', '5'],
      ['__connect.errors.exception.class.name', 'KLOG_HANDLER_FAILED'],
      ['__connect.errors.exception.message', 'no'],
      ['klog.errors.attempts', '4'],
    ]);
    expect(withoutErrorHeaders(headers)).toEqual([{ key: 'h', value: null }]);
  });
});

describe('where a record came from', () => {
  it('has the id of the topic that it is said with, not that of an earlier replay', () => {
    const first = originHeaders({ topic: 'a', topicId: 'A', partition: 0, offset: 1 });
    expect(originOf(first)).toEqual({ topic: 'a', topicId: 'A', partition: 0, offset: 1 });
    const unknown = [...first, ...originHeaders({ topic: 'b', partition: 2, offset: 3 })];
    expect(originOf(unknown)).toEqual({ topic: 'b', topicId: undefined, partition: 2, offset: 3 });
    const second = [...unknown, ...originHeaders({ topic: 'c', topicId: 'C', partition: 4, offset: 5 })];
    expect(originOf(second)).toEqual({ topic: 'c', topicId: 'C', partition: 4, offset: 5 });
    expect(withoutOrigin(second)).toEqual([]);
  });
});

describe('where a record goes back to', () => {
  const connect = [header('__connect.errors.topic', 'orders'), header('__connect.errors.partition', '2')];

  it('is what the first of the named headers that it has says', () => {
    expect(destinationOf(connect, ['from', '__connect.errors.topic'])).toEqual({ topic: 'orders', partition: 2 });
    expect(destinationOf([...connect, header('from', 'other')], ['from', '__connect.errors.topic'])).toEqual({
      topic: 'other',
      partition: undefined,
    });
    expect(destinationOf(connect, ['from'])).toBeUndefined();
    expect(destinationOf([header('from', null)], ['from'])).toBeUndefined();
  });

  it('is what the last failure says where headers repeat', () => {
    const twice = [...connect, header('__connect.errors.topic', 'later'), header('__connect.errors.partition', '0')];
    expect(destinationOf(twice, ['__connect.errors.topic'])).toEqual({ topic: 'later', partition: 0 });
  });

  it("has Spring's partition of four bytes, and none that is no number", () => {
    const spring = [
      header('kafka_dlt-original-topic', 't'),
      header('kafka_dlt-original-partition', Buffer.from([0, 0, 1, 2])),
    ];
    expect(destinationOf(spring, ['kafka_dlt-original-topic'])).toEqual({ topic: 't', partition: 258 });
    const odd = [header('x.topic', 't'), header('x.partition', 'second')];
    expect(destinationOf(odd, ['x.topic'])).toEqual({ topic: 't', partition: undefined });
  });
});

describe('a record that goes back', () => {
  it('is as it was before it failed, and counts', () => {
    const own = [header('h', null), header('h', 'x')];
    const failure = { topic: 't', partition: 0, offset: 5, code: 'C', reason: 'no', attempts: 1 };
    const once = redrivenHeaders(withErrorHeaders(own, failure), { topic: 'dlq', partition: 0, offset: 7 });
    const origin = (offset: number) => [
      header('klog.origin.topic', 'dlq'),
      header('klog.origin.partition', '0'),
      header('klog.origin.offset', String(offset)),
    ];
    expect(once).toEqual([...own, ...origin(7), header('klog.redrives', '1')]);
    const twice = redrivenHeaders(withErrorHeaders(once, failure), { topic: 'dlq', partition: 0, offset: 9 });
    expect(twice).toEqual([...own, ...origin(9), header('klog.redrives', '2')]);
    expect(redrivesOf(twice)).toBe(2);
  });

  it('counts from nothing where the count is none', () => {
    for (const text of ['', 'many', '-3', '1e99']) expect(redrivesOf([header('klog.redrives', text)])).toBe(0);
    expect(redrivesOf([header('klog.redrives', null)])).toBe(0);
  });
});
