export interface StickyResult {
  /** By member id: numbers of partitions. */
  readonly assigned: Map<string, number[]>;
  /** Those that somebody else has had and has to let go of first, with who gets them. */
  readonly moving: ReadonlyMap<number, string>;
}
