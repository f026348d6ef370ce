import { expect, it } from 'vitest';
import type { PartitionFetcher } from '../../src/clients/local/partition-fetcher.js';
import { PartitionOrder } from '../../src/clients/local/partition-order.js';

it('passes over a partition that goes away while another is looked at', async () => {
  const fetchers: PartitionFetcher[] = [];
  const fetcher = (whenLookedAt: () => void) =>
    ({
      isPaused: false,
      isAtEnd: false,
      end: 10,
      take: () => undefined,
      hasPassed: () => false,
      fill: async () => {
        whenLookedAt();
        return false;
      },
      rest: () => {},
    }) as unknown as PartitionFetcher;
  fetchers.push(
    fetcher(() => fetchers.pop()),
    fetcher(() => {}),
  );
  expect(await new PartitionOrder(fetchers, new Map()).next()).toBeUndefined();
  expect(fetchers).toHaveLength(1);
});
