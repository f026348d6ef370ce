import { describe, expect, it } from 'vitest';
import { durableLine, ProduceTally, summaryLine, tallyObject } from '../../../src/cli/produce/produce-tally.js';

function tallyOf(...runs: readonly [topic: string, partition: number, first: number, last: number][]): ProduceTally {
  const tally = new ProduceTally();
  for (const [topic, partition, firstOffset, lastOffset] of runs) {
    const records = lastOffset - firstOffset + 1;
    tally.add({ topic, partition, firstOffset, lastOffset, records, bytes: records * 100 });
  }
  return tally;
}

describe('ProduceTally', () => {
  it('joins the runs of a partition and sorts partitions', () => {
    const tally = tallyOf(['t', 10, 0, 4], ['t', 2, 7, 7], ['t', 10, 9, 11]);
    expect(tallyObject(tally, 't', 12.4)).toEqual({
      topic: 't',
      records: 9,
      bytes: 900,
      partitions: [
        { partition: 2, firstOffset: 7, lastOffset: 7 },
        { partition: 10, firstOffset: 0, lastOffset: 11 },
      ],
      elapsedMs: 12,
    });
  });

  it('names the topic of a partition only where it is another one', () => {
    const tally = tallyOf(['t', 0, 0, 0], ['other', 0, 3, 3]);
    expect(tallyObject(tally, 't', 0)).toMatchObject({
      partitions: [{ topic: 'other', partition: 0, firstOffset: 3, lastOffset: 3 }, { partition: 0 }],
    });
  });

  it('says in a line what was done, and after a failure what can be relied on', () => {
    const tally = tallyOf(['t', 0, 5, 5], ['t', 1, 0, 9]);
    expect(summaryLine(tally, 100)).toBe('11 records, 1.1 KiB in 100 ms (110 records/s, 10.7 KiB/s): t:0@5, t:1@0-9');
    expect(durableLine(tally, 'all')).toBe('11 records are durable, the last at t:0@5, t:1@9');
    expect(durableLine(tallyOf(), 'written')).toBe('0 records are written');
    expect(durableLine(tallyOf(['t', 0, 0, 0]), 'written')).toBe('1 record is written, the last at t:0@0');
  });

  it('does not list partitions without end', () => {
    const tally = tallyOf(...Array.from({ length: 40 }, (_, i) => ['t', i, 0, 0] as [string, number, number, number]));
    expect(summaryLine(tally, 1)).toMatch(/t:15@0 and 24 more$/);
  });
});
