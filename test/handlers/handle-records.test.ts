import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HandledCounts, type HandleOptions, RecordHandling } from '../../src/handlers/handle-records.js';
import { type FailedAttempt, failed, type HandledRecord, type Handler } from '../../src/handlers/handler.js';
import { runs } from '../support/properties.js';
import { batchesOf, iterate, type TestRecord } from './support.js';

type Answer = (
  record: HandledRecord,
  attempt: number,
) => Promise<FailedAttempt | undefined> | FailedAttempt | undefined;

/** A handler that answers as it is told, and remembers what it was asked. */
class ScriptedHandler implements Handler {
  readonly name = 'scripted';
  readonly begun: string[] = [];
  readonly acknowledged: string[] = [];
  readonly #attempts = new Map<string, number>();
  readonly #answer: Answer;
  inFlight = 0;
  mostInFlight = 0;
  closed = 0;

  constructor(answer: Answer = () => undefined) {
    this.#answer = answer;
  }

  async handle(record: HandledRecord): Promise<FailedAttempt | undefined> {
    const place = `${record.partition}@${record.offset}`;
    this.begun.push(place);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    const attempt = (this.#attempts.get(place) ?? 0) + 1;
    this.#attempts.set(place, attempt);
    const failure = await this.#answer(record, attempt);
    this.inFlight -= 1;
    if (failure === undefined) this.acknowledged.push(place);
    return failure;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

interface Run {
  readonly handler: ScriptedHandler;
  readonly commits: string[];
  readonly counts: HandledCounts;
  readonly error: unknown;
}

async function run(
  records: readonly TestRecord[],
  answer?: Answer,
  options: Partial<HandleOptions> = {},
): Promise<Run> {
  const handler = new ScriptedHandler(answer);
  const commits: string[] = [];
  const counts = { handled: 0, givenUp: 0, taken: 0 };
  let error: unknown;
  const handling = new RecordHandling(
    {
      handler,
      retries: 3,
      maxInFlight: 1,
      giveUp: async (_, { reason }) => {
        throw new Error(reason);
      },
      commit: async ({ partition }, next) => {
        commits.push(`${partition}@${next}`);
      },
      signal: new AbortController().signal,
      stop: new AbortController(),
      pause: async () => {},
      ...options,
    },
    counts,
  );
  await handling.run(iterate(batchesOf(records))).catch((reason: unknown) => {
    error = reason;
  });
  return { handler, commits, counts, error };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('handling records', () => {
  it('commits behind each record, one after the other', async () => {
    const { handler, commits, counts } = await run([{}, {}, {}]);
    expect(handler.begun).toEqual(['0@0', '0@1', '0@2']);
    expect(commits).toEqual(['0@1', '0@2', '0@3']);
    expect(counts).toEqual({ handled: 3, givenUp: 0, taken: 3 });
    expect(handler).toMatchObject({ mostInFlight: 1, closed: 1 });
  });

  it('tries a failed record again, before the next', async () => {
    const { handler, commits } = await run([{}, {}, {}], ({ offset }, attempt) =>
      offset === 1 && attempt < 3 ? failed('no') : undefined,
    );
    expect(handler.begun).toEqual(['0@0', '0@1', '0@1', '0@1', '0@2']);
    expect(commits).toEqual(['0@1', '0@2', '0@3']);
  });

  it('stops at a record that has had its attempts, with all before it committed', async () => {
    const { handler, commits, error, counts } = await run([{}, {}, {}], ({ offset }) =>
      offset === 1 ? failed('never') : undefined,
    );
    expect(error).toEqual(new Error('never'));
    expect(handler.begun).toEqual(['0@0', '0@1', '0@1', '0@1', '0@1']);
    expect(commits).toEqual(['0@1']);
    expect(counts).toMatchObject({ handled: 1, givenUp: 0 });
    expect(handler.closed).toBe(1);
  });

  it('goes on behind a record that was taken care of elsewhere', async () => {
    const given: unknown[] = [];
    const giveUp: HandleOptions['giveUp'] = async ({ offset }, { reason, attempts }) => {
      given.push({ offset, reason, attempts });
    };
    const answer: Answer = ({ offset }) => (offset === 1 ? failed('bad') : undefined);
    const { commits, counts } = await run([{}, {}, {}], answer, { giveUp, retries: 1 });
    expect(given).toEqual([{ offset: 1, reason: 'bad', attempts: 2 }]);
    expect(commits).toEqual(['0@1', '0@2', '0@3']);
    expect(counts).toEqual({ handled: 2, givenUp: 1, taken: 3 });
  });

  it('stops when it cannot be taken care of there', async () => {
    const { commits, error } = await run([{}, {}], () => failed('bad'), {
      giveUp: () => Promise.reject(new Error('the disk is full')),
    });
    expect(error).toEqual(new Error('the disk is full'));
    expect(commits).toEqual([]);
  });

  it('remembers no more of what commits wait for than it has in its hands', async () => {
    let finish = () => {};
    const slow = new Promise<undefined>((resolve) => {
      finish = () => resolve(undefined);
    });
    const keys = Array.from({ length: 200 }, (_, i) => ({ key: `k${i}` }));
    let mostUnfinished = 0;
    let handled = 0;
    let taken = 0;
    const batches = batchesOf(keys);
    async function* counted() {
      for (const batch of batches) {
        taken += 1;
        mostUnfinished = Math.max(mostUnfinished, taken - handled);
        yield batch;
      }
    }
    const handler = new ScriptedHandler(async ({ offset }) => {
      if (offset === 0) await slow;
      handled += 1;
      if (handled === keys.length - 1) finish();
      return undefined;
    });
    const commits: number[] = [];
    const handling = new RecordHandling({
      handler,
      retries: 0,
      maxInFlight: 3,
      giveUp: async () => {},
      commit: async (_, next) => void commits.push(next),
      signal: new AbortController().signal,
      stop: new AbortController(),
    });
    await handling.run(counted());
    // All that came behind it was handled meanwhile, and nothing of that is told but in the last commit.
    expect(new Set(commits)).toEqual(new Set([0, keys.length]));
    expect(mostUnfinished).toBeLessThanOrEqual(2 * 3 + 1);
  });

  it('does not count an attempt in which another record was to blame', async () => {
    const answer: Answer = (_, attempt) => (attempt < 6 ? { reason: 'broke down', isBlamed: false } : undefined);
    expect((await run([{}], answer, { retries: 0 })).counts.handled).toBe(1);
  });

  it('stops when a commit is refused, and commits nothing more', async () => {
    const refused = new Error('another owner');
    const { error, handler } = await run([{}, {}, {}], undefined, { commit: () => Promise.reject(refused) });
    expect(error).toBe(refused);
    expect(handler.begun).toEqual(['0@0']);
  });

  it('counts what a filter dropped as done', async () => {
    const { handler, commits } = await run([{}, {}, {}, {}], undefined, {
      isWanted: (cursor) => cursor.offset === 1,
    });
    expect(handler.begun).toEqual(['0@1']);
    expect(commits.at(-1)).toBe('0@4');
  });

  it('never commits what a filter dropped over a record in hand', async () => {
    let finish = () => {};
    const commits: string[] = [];
    const answer: Answer = () =>
      new Promise<undefined>((resolve) => {
        finish = () => resolve(undefined);
      });
    const running = run([{ key: 'a' }, {}, {}], answer, {
      maxInFlight: 2,
      isWanted: (cursor) => cursor.offset === 0,
      commit: async (_, next) => {
        commits.push(String(next));
      },
    });
    await turn();
    expect(commits).toEqual(['0', '0']);
    finish();
    await running;
    expect(commits.at(-1)).toBe('3');
  });

  it('takes no more than so many', async () => {
    const { handler, commits } = await run([{}, {}, {}], undefined, { maxRecords: 2 });
    expect(handler.begun).toEqual(['0@0', '0@1']);
    expect(commits.at(-1)).toBe('0@2');
    expect((await run([{}], undefined, { maxRecords: 0 })).handler.begun).toEqual([]);
  });

  it('leaves undone what was not acknowledged when klog was stopped', async () => {
    const stopped = new AbortController();
    const answer: Answer = async ({ offset }) => {
      if (offset !== 1) return undefined;
      stopped.abort();
      return failed('ended by SIGINT');
    };
    const { commits, error, counts } = await run([{}, {}, {}], answer, { signal: stopped.signal });
    expect(error).toBeUndefined();
    expect(commits).toEqual(['0@1']);
    expect(counts.handled).toBe(1);
  });

  it('commits what was acknowledged although klog was stopped meanwhile', async () => {
    const stopped = new AbortController();
    const answer: Answer = async ({ offset }) => {
      if (offset === 1) stopped.abort();
      return undefined;
    };
    expect((await run([{}, {}, {}], answer, { signal: stopped.signal })).commits).toEqual(['0@1', '0@2']);
  });

  it('lets those in flight come to their end when one stops everything, and begins none', async () => {
    const answer: Answer = async ({ offset }) => {
      await turn();
      if (offset === 1) return failed('no');
      for (let i = 0; i < 3; i++) await turn();
      return undefined;
    };
    const records = ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key }));
    const { handler, commits, error } = await run(records, answer, { maxInFlight: 3, retries: 0 });
    expect(error).toEqual(new Error('no'));
    expect(handler.begun).not.toContain('0@4');
    expect(handler.acknowledged).toContain('0@2');
    expect(commits.at(-1)).toBe('0@1');
  });
});

describe('a partition that goes to somebody else', () => {
  const places = [{ topic: 't', partition: 0 }];
  const begin = (onCommit: (next: number) => void) => {
    let finish = () => {};
    const handler = new ScriptedHandler(
      () =>
        new Promise((resolve) => {
          finish = () => resolve(undefined);
        }),
    );
    const handling = new RecordHandling({
      handler,
      retries: 0,
      maxInFlight: 2,
      giveUp: async () => {},
      commit: async (_, next) => onCommit(next),
      signal: new AbortController().signal,
      stop: new AbortController(),
    });
    return { handling, running: handling.run(iterate(batchesOf([{}]))), finish: () => finish() };
  };

  it('is let go of when its records in hand are done, and committed', async () => {
    const commits: number[] = [];
    const { handling, running, finish } = begin((next) => commits.push(next));
    await turn();
    let isReleased = false;
    const released = handling.release(places).then(() => {
      isReleased = true;
    });
    await turn();
    expect(isReleased).toBe(false);
    finish();
    await released;
    expect(commits).toEqual([1]);
    await running;
  });

  it('is committed no more when it was taken away with a record in hand', async () => {
    const commits: number[] = [];
    const { handling, running, finish } = begin((next) => commits.push(next));
    await turn();
    handling.forget(places);
    finish();
    await running;
    expect(commits).toEqual([]);
  });
});

/** What the property tries: records, how often each fails, how long an attempt takes, and how many may be in flight. */
const workload = fc.record({
  records: fc.array(
    fc.record({
      partition: fc.nat(2),
      key: fc.constantFrom(null, 'a', 'b', 'c'),
      failures: fc.constantFrom(0, 0, 0, 1, 2, 9),
      turns: fc.nat(3),
    }),
    { maxLength: 30 },
  ),
  maxInFlight: fc.integer({ min: 1, max: 6 }),
  onFailure: fc.constantFrom('stop', 'skip'),
  dropped: fc.nat(5),
});

describe('handling several records at once', () => {
  it('keeps the order of each key, and commits only what is done without a gap', () =>
    fc.assert(
      fc.asyncProperty(workload, async ({ records, maxInFlight, onFailure, dropped }) => {
        const places: { place: string; lane: string; failures: number; turns: number }[] = [];
        const ends = new Map<number, number>();
        for (const { partition, key, failures, turns } of records) {
          const offset = ends.get(partition) ?? 0;
          ends.set(partition, offset + 1);
          places.push({ place: `${partition}@${offset}`, lane: `${partition}/${key}`, failures, turns });
        }
        const byPlace = new Map(places.map((one) => [one.place, one]));
        const isDropped = (partition: number, offset: number) => (partition + offset) % 6 === dropped;
        const done = new Set<string>();
        const answer: Answer = async ({ partition, offset }, attempt) => {
          const { failures, turns } = byPlace.get(`${partition}@${offset}`)!;
          for (let i = 0; i < turns; i++) await turn();
          if (attempt <= failures) return failed('no');
          done.add(`${partition}@${offset}`);
          return undefined;
        };
        const result = await run(records, answer, {
          maxInFlight,
          retries: 2,
          isWanted: (cursor, { partition }) => !isDropped(partition, cursor.offset),
          giveUp: async ({ partition, offset }) => {
            if (onFailure === 'stop') throw new Error('stop');
            done.add(`${partition}@${offset}`);
          },
          commit: async ({ partition }, next) => {
            for (let offset = 0; offset < next; offset++) {
              expect(isDropped(partition, offset) || done.has(`${partition}@${offset}`)).toBe(true);
            }
          },
        });
        expect(result.handler.mostInFlight).toBeLessThanOrEqual(maxInFlight);
        expect(result.handler.closed).toBe(1);
        // Each lane saw its records in order, every attempt of one before the first of the next.
        for (const lane of new Set(places.map((one) => one.lane))) {
          const begun = result.handler.begun.filter((place) => byPlace.get(place)!.lane === lane);
          const offsets = begun.map((place) => Number(place.split('@')[1]));
          expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
        }
        const wanted = places.filter(({ place }) => !isDropped(Number(place[0]), Number(place.slice(2))));
        const fails = wanted.some(({ failures }) => failures > 2);
        if (fails && onFailure === 'stop') expect(result.error).toEqual(new Error('stop'));
        else expect(done.size).toBe(wanted.length);
      }),
      { numRuns: runs(60) },
    ));
});
