import { describe, expect, it } from 'vitest';
import type { ConsumerBatch } from '../../src/clients/client.js';
import { redrive } from '../../src/replay/redrive.js';
import { batchesOf } from '../handlers/support.js';

describe('redrive', () => {
  it('tells of what stays as it comes, and keeps nothing of it', async () => {
    const told: number[] = [];
    const toldBefore: number[] = [];
    async function* batches(): AsyncGenerator<ConsumerBatch> {
      for (const batch of batchesOf([{}, {}, {}])) {
        toldBefore.push(told.length);
        yield batch;
      }
    }
    const counts = await redrive(batches(), undefined, {
      topicId: 'id',
      toHeaders: ['from'],
      maxRedrives: 3,
      lookUp: async () => 1,
      onStayed: ({ offset, reason }) => {
        expect(reason).toBe('it has no header from');
        told.push(offset);
      },
    });
    expect(told).toEqual([0, 1, 2]);
    expect(toldBefore).toEqual([0, 1, 2]);
    expect(counts).toEqual({ records: 0, targets: new Map(), stayed: 3 });
  });
});
