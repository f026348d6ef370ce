/** What clients take from the outside world besides the store: tests bring their own. */
export interface ClientSeams {
  /** Milliseconds since 1970: the timestamp of records that come without one. */
  readonly now: () => number;
  /** Milliseconds on a clock that never goes back: lingering and time-outs. */
  readonly elapsed: () => number;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

export const systemSeams: ClientSeams = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
};
