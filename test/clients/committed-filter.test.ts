import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommittedFilter } from '../../src/clients/local/committed-filter.js';

describe('CommittedFilter', () => {
  const filter = new CommittedFilter([
    { producerId: 2, firstOffset: 30, lastOffset: 40 },
    { producerId: 1, firstOffset: 50, lastOffset: 60 },
    { producerId: 1, firstOffset: 10, lastOffset: 20 },
  ]);

  it('leaves out what a producer wrote from the first offset of an aborted transaction to its marker', () => {
    expect([9, 10, 19, 20, 21, 49, 50, 60, 61].map((offset) => filter.isAborted(1, offset))).toEqual([
      false,
      true,
      true,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  it('tells producers apart', () => {
    expect(filter.isAborted(2, 15)).toBe(false);
    expect(filter.isAborted(2, 35)).toBe(true);
    expect(filter.isAborted(3, 15)).toBe(false);
  });

  it('answers as walking the batches does, with a set of aborted producers that markers empty', () => {
    // Each step: a producer writes a batch, commits or aborts.
    const steps = fc.array(fc.tuple(fc.nat(3), fc.constantFrom('write', 'write', 'commit', 'abort')), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (log) => {
        const open = new Map<number, number>();
        const aborted: { producerId: number; firstOffset: number; lastOffset: number }[] = [];
        log.forEach(([producerId, step], offset) => {
          const firstOffset = open.get(producerId);
          if (step === 'write') open.set(producerId, firstOffset ?? offset);
          else open.delete(producerId);
          if (step === 'abort' && firstOffset !== undefined)
            aborted.push({ producerId, firstOffset, lastOffset: offset });
        });
        const made = new CommittedFilter(aborted);
        const queue = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
        const isAborted = new Set<number>();
        log.forEach(([producerId, step], offset) => {
          while (queue.length > 0 && queue[0]!.firstOffset <= offset) isAborted.add(queue.shift()!.producerId);
          if (step === 'write') expect(made.isAborted(producerId, offset)).toBe(isAborted.has(producerId));
          if (step === 'abort') isAborted.delete(producerId);
        });
      }),
    );
  });
});
