/** Between two commits of what is done meanwhile. Kafka: `auto.commit.interval.ms`, 5 s there. */
const INTERVAL_MS = 1000;

/**
 * Commits now and then while `work` goes on; a commit that fails stops it. Rejects with that, or with what failed in
 * `work`.
 */
export async function committingMeanwhile<T>(
  commit: () => Promise<void>,
  stop: AbortController,
  work: () => Promise<T>,
): Promise<T> {
  let failure: { readonly error: unknown } | undefined;
  let isCommitting = false;
  const timer = setInterval(async () => {
    if (isCommitting || failure !== undefined) return;
    isCommitting = true;
    try {
      await commit();
    } catch (error) {
      failure = { error };
      stop.abort();
    }
    isCommitting = false;
  }, INTERVAL_MS);
  try {
    const result = await work();
    if (failure !== undefined) throw failure.error;
    return result;
  } finally {
    clearInterval(timer);
  }
}
