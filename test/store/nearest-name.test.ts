import { describe, expect, it } from 'vitest';
import { nearestName } from '../../src/store/nearest-name.js';

describe('nearestName', () => {
  it.each([
    ['ordres', ['orders', 'order-items'], 'orders'],
    ['Orders', ['orders'], 'orders'],
    ['order', ['orders', 'borders'], 'orders'],
    ['x', ['orders'], undefined],
    ['completely', ['different'], undefined],
    ['ab', ['ba', 'xy'], 'ba'],
    ['', ['a'], undefined],
    ['a', ['b', 'ab'], undefined],
    ['A', ['a'], 'a'],
    ['orders', [], undefined],
  ])('%s among %j: %s', (name, known, nearest) => {
    expect(nearestName(name, known)).toBe(nearest);
  });
});
