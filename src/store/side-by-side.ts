/** As many as libuv has threads: more syncs than that would only wait for each other. */
const WIDTH = 4;

/**
 * Does the same to many things, a few at a time: what waits for the disk costs less together. After a failure none is
 * begun any more; it is thrown when those under way have ended, so that what they do can be taken back.
 */
export async function sideBySide<T>(
  things: readonly T[],
  work: (thing: T, lane: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const workAll = async (lane: number): Promise<void> => {
    while (next < things.length && failure === undefined) {
      try {
        await work(things[next++]!, lane);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(WIDTH, things.length) }, (_, lane) => workAll(lane)));
  if (failure !== undefined) throw failure.error;
}
