import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OffsetSet } from '../../src/replay/offset-set.js';

it('has what was added, and nothing else', () => {
  const offset = fc.oneof(fc.nat(100), fc.constantFrom(32767, 32768, 2 ** 31, 2 ** 32 + 7, 2 ** 53 - 1));
  const place = fc.tuple(fc.nat(2), offset);
  fc.assert(
    fc.property(fc.array(place), fc.array(place), (added, asked) => {
      const set = new OffsetSet();
      for (const [partition, one] of added) set.add(partition, one);
      const names = new Set(added.map(String));
      for (const [partition, one] of [...added, ...asked]) {
        expect(set.has(partition, one)).toBe(names.has(String([partition, one])));
      }
      expect(set.isEmpty).toBe(added.length === 0);
    }),
  );
});
