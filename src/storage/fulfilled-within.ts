/** The longest that a timer can wait: with more it fires at once. */
const LONGEST_TIMER_MS = 0x7fffffff;

/** Whether the promise is fulfilled within so many milliseconds; rejects if it does. */
export async function fulfilledWithin(promise: Promise<void>, ms: number): Promise<boolean> {
  if (ms === Number.POSITIVE_INFINITY) {
    await promise;
    return true;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, Math.min(Math.max(0, ms), LONGEST_TIMER_MS), false);
  });
  try {
    return await Promise.race([promise.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
