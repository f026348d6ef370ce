/** The longest that a timer can wait: with more it fires at once. */
const LONGEST_TIMER_MS = 0x7fffffff;

/** Whether the promise is fulfilled within so many milliseconds; rejects if it does. */
export function fulfilledWithin(promise: Promise<void>, ms: number): Promise<boolean> {
  if (ms === Number.POSITIVE_INFINITY) return promise.then(() => true);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.min(Math.max(0, ms), LONGEST_TIMER_MS), false);
    const settle = (then: () => void) => {
      clearTimeout(timer);
      then();
    };
    promise.then(
      () => settle(() => resolve(true)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
