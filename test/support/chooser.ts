/**
 * Where a simulated run gets its decisions from: which sectors a power loss takes, where a write is cut, who runs next.
 * Nothing else in the instrument is random, so the same answers give the same run.
 */
export interface Chooser {
  /** A whole number below `count` (at least 1). 0 is the plain answer: nothing unusual happens. */
  choose(count: number, what: string): number;
}

/** Nothing unusual ever happens. */
export const plainChooser: Chooser = { choose: () => 0 };

/** Answers in the given order, then 0. An answer that does not fit its question is an error of the test. */
export function scriptedChooser(answers: readonly number[]): Chooser {
  let next = 0;
  return {
    choose(count, what) {
      const answer = answers[next++] ?? 0;
      if (answer >= count) throw new RangeError(`answer ${answer} for "${what}", which has only ${count}`);
      return answer;
    },
  };
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export function randomChooser(seed: number): Chooser {
  const random = seededRandom(seed);
  return { choose: (count) => Math.floor(random() * count) };
}

/** What becomes of everything that was not synced, at a failed sync or a power loss. */
export interface Fate {
  /** Which of `count` contents a dirty sector has on the disk: 0 the one of the last sync, `count - 1` the newest. */
  sector(path: string, sector: number, count: number): number;
  /** Which of `count` sizes the file has: 0 the durable one, `count - 1` the newest. */
  size(path: string, count: number): number;
  /** Whether a change of names (creation, removal, rename) reached the disk. */
  name(description: string): boolean;
}

export const allLost: Fate = { sector: () => 0, size: () => 0, name: () => false };

export const allKept: Fate = {
  sector: (_path, _sector, count) => count - 1,
  size: (_path, count) => count - 1,
  name: () => true,
};

/**
 * A fate by choices: first whether in doubt things are lost or kept, then each thing's exception from that. Searches
 * that allow few exceptions so begin with the two likeliest fates.
 */
export function chosenFate(chooser: Chooser): Fate {
  const kept = chooser.choose(2, 'unsynced: lost, or kept') === 1;
  const from = (count: number, what: string) => {
    const steps = chooser.choose(count, what);
    return kept ? count - 1 - steps : steps;
  };
  return {
    sector: (path, sector, count) => from(count, `sector ${sector} of ${path}`),
    size: (path, count) => from(count, `size of ${path}`),
    name: (description) => from(2, description) === 1,
  };
}
