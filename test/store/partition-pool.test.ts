import { expect, it } from 'vitest';
import { PartitionPool } from '../../src/store/partition-pool.js';

it('closing a slot interrupts a wait that is only about to begin, its files still being opened', async () => {
  let open = () => {};
  const slot = new PartitionPool(100, () => 0).slot(
    () =>
      new Promise<{ close(): Promise<void> }>((resolve) => {
        open = () => resolve({ close: async () => {} });
      }),
  );
  const ending = new AbortController();
  const untilEnded = async () => {
    if (!ending.signal.aborted) await new Promise((resolve) => ending.signal.addEventListener('abort', resolve));
    return 'interrupted';
  };
  const waited = slot.useInterruptibly(() => ending.abort(), untilEnded);
  await new Promise((resolve) => setImmediate(resolve));
  const closed = slot.close();
  open();
  expect(await waited).toBe('interrupted');
  await closed;
}, 5000);
