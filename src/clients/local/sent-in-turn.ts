import type { RecordMetadata } from '../producer.js';

/**
 * What waits for the records that `send` has put into one batch. Each has a promise, and all of these come from one:
 * its reactions run in the order in which they were asked for, so each time the next record is answered. A promise that
 * is made with functions of its own takes five times the memory, for as long as the record is under way, and twice the
 * time.
 */
export class SentInTurn {
  readonly #topic: string;
  readonly #partition: number;
  readonly #told: WeakSet<Error>;
  /** Of each: which record of the batch it is, and its time. */
  readonly #records: number[] = [];
  readonly #timestamps: number[] = [];
  readonly #outcome: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: Error) => void;
  #baseOffset = -1;
  #appendTime = -1;
  #next = 0;

  /** `told`: the failures that the application has heard of. */
  constructor(topic: string, partition: number, told: WeakSet<Error>) {
    this.#topic = topic;
    this.#partition = partition;
    this.#told = told;
    this.#outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The promise for the record that is this one of the batch. */
  add(record: number, timestamp: number): Promise<RecordMetadata> {
    this.#records.push(record);
    this.#timestamps.push(timestamp);
    return this.#outcome.then(this.#answerNext);
  }

  acknowledged(baseOffset: number, appendTime: number): void {
    this.#baseOffset = baseOffset;
    this.#appendTime = appendTime;
    this.#resolve();
  }

  failed(error: Error): void {
    this.#told.add(error);
    this.#reject(error);
  }

  readonly #answerNext = (): RecordMetadata => {
    const turn = this.#next++;
    return {
      topic: this.#topic,
      partition: this.#partition,
      offset: this.#baseOffset + this.#records[turn]!,
      timestamp: this.#appendTime >= 0 ? this.#appendTime : this.#timestamps[turn]!,
    };
  };
}
