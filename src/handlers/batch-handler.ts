import { KlogError, systemReason } from '../errors.js';
import { AcknowledgementLines, acknowledgementOf, namedBy } from './acknowledgement-lines.js';
import { type CommandOptions, LATE_GRACE_MS, LONGEST_TIMER_MS, lateness, STOP_GRACE_MS } from './command-handler.js';
import { type FailedAttempt, failed, type HandledRecord, type Handler, notBegun } from './handler.js';
import { ProcessGroup } from './process-group.js';
import { withoutRecord } from './record-environment.js';

export interface BatchOptions extends CommandOptions {
  /** What each run of the command reads before its first record: the head of csv. */
  readonly preamble?: Uint8Array | undefined;
}

interface Waiting {
  readonly record: HandledRecord;
  readonly resolve: (failure: FailedAttempt | undefined) => void;
}

/** Of a line that is shown. */
const SHOWN_CHARACTERS = 80;
/** How long what a dead command has written is waited for: something it left running may hold the pipe open. */
const DRAIN_MS = 200;

/**
 * One long-lived command for all records: it reads them on its standard input and writes one line for each, in their
 * order: `ok`, or why not. It is started at the first record, and again after it has ended. When it ends in between,
 * the first record without a line is to blame; those behind it are given to the next run without having lost an
 * attempt.
 *
 * A line when no record waits for one means that the command miscounts: then it is ended, and everything stops. While
 * records wait, a line too many is the next one's answer, though the command may not have read that record yet: nothing
 * but the command knows. `ok TOPIC:PARTITION@OFFSET` names the record, which only who has read it can; naming another
 * stops everything.
 */
export class BatchHandler implements Handler {
  readonly #options: BatchOptions;
  readonly broken: Promise<KlogError>;
  #run: Run | undefined;
  #isStopped = false;
  #isBroken = false;
  #tellBroken: (error: KlogError) => void = () => {};

  constructor(options: BatchOptions) {
    this.#options = options;
    this.broken = new Promise((resolve) => {
      this.#tellBroken = resolve;
    });
    const { signal } = options;
    const stop = () => {
      this.#isStopped = true;
      this.#run?.stop(options.stopSignal());
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  }

  get name(): string {
    return this.#options.command;
  }

  async handle(record: HandledRecord): Promise<FailedAttempt | undefined> {
    if (this.#isStopped) return { reason: 'klog was stopped', isBlamed: false };
    // A run that breaks down takes no more records; the next one begins when nothing of it is left.
    while (this.#run?.isOver === true) await this.#run.gone;
    if (this.#isBroken) return { reason: 'the command miscounts', isBlamed: false };
    try {
      this.#run ??= this.#start();
    } catch (error) {
      return notBegun(systemReason(error));
    }
    return this.#run.give(record);
  }

  async close(isFailing: boolean): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    const timer = isFailing ? setTimeout(() => run.stop('SIGTERM'), STOP_GRACE_MS) : undefined;
    const failure = await run.finish();
    clearTimeout(timer);
    if (failure === undefined || this.#isStopped) return;
    throw new KlogError('KLOG_HANDLER_FAILED', `'${this.name}' failed after its last record: ${failure}`);
  }

  #start(): Run {
    const run = new Run(this.#options, (why) => {
      this.#isBroken = true;
      const hint = 'It has to write one line for each record it has read';
      this.#tellBroken(new KlogError('KLOG_HANDLER_FAILED', `'${this.name}' ${why}`, { hint }));
    });
    void run.gone.then(() => {
      if (this.#run === run) this.#run = undefined;
    });
    return run;
  }
}

/** The command from its start to its end. */
class Run {
  /** Resolves when all records in hand have their answer and nothing runs any more. */
  readonly gone: Promise<void>;
  readonly #options: BatchOptions;
  readonly #onMiscount: (why: string) => void;
  readonly #group: ProcessGroup;
  readonly #lines = new AcknowledgementLines();
  /** In the order given: the first is the next to get a line. */
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Why it was ended, where it did not end of itself. */
  #verdict: string | undefined;
  #ending: Promise<void> | undefined;
  #failure: string | undefined;
  #isOver = false;
  /** What it has left running may still write, and says nothing of any record. */
  #isGone = false;
  /** Its lines do not belong to the records it was given. */
  #isBroken = false;
  /** No more records come: what is left is to end. */
  #isFinishing = false;

  constructor(options: BatchOptions, onMiscount: (why: string) => void) {
    this.#options = options;
    this.#onMiscount = onMiscount;
    const { command, env, preamble, groupLives } = options;
    this.#group = new ProcessGroup({ command, env: withoutRecord(env), input: 'pipe', output: 'pipe', groupLives });
    this.#group.output?.on('data', (bytes: Buffer) => this.#read(bytes));
    if (preamble !== undefined && preamble.length > 0) this.#group.write(preamble);
    this.gone = this.#watch();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  give(record: HandledRecord): Promise<FailedAttempt | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push({ record, resolve });
      this.#group.write(record.input);
      if (this.#waiting.length === 1) this.#startTimer();
    });
  }

  stop(signal: NodeJS.Signals): void {
    this.#ending ??= this.#group.end(signal, STOP_GRACE_MS);
  }

  /** Closes its input and waits for its end. Answers why that was a bad one. */
  async finish(): Promise<string | undefined> {
    this.#isFinishing = true;
    this.#group.endInput();
    if (!this.#isOver) this.#startTimer();
    await this.gone;
    return this.#failure;
  }

  async #watch(): Promise<void> {
    const failure = await this.#group.ended;
    this.#isOver = true;
    await Promise.race([this.#group.outputClosed, new Promise((resolve) => setTimeout(resolve, DRAIN_MS))]);
    this.#isGone = true;
    clearTimeout(this.#timer);
    await this.#ending;
    this.#failure = this.#verdict ?? failure?.reason;
    const answer = this.#verdict === undefined ? endedEarly(failure) : failed(this.#verdict);
    for (const [index, { resolve }] of this.#waiting.splice(0).entries()) {
      resolve({ ...answer, isBlamed: index === 0 && !this.#isBroken });
    }
  }

  #read(bytes: Uint8Array): void {
    if (this.#isGone) return;
    const lines = this.#lines.push(bytes);
    if (lines === undefined) {
      this.#giveUp('it wrote a line that is too long for an acknowledgement');
      return;
    }
    for (const line of lines) {
      if (this.#verdict !== undefined) return;
      const miscount = this.#miscountBy(line);
      if (miscount !== undefined) {
        this.#isBroken = true;
        this.#giveUp(miscount);
        this.#onMiscount(miscount);
        return;
      }
      const failure = acknowledgementOf(line);
      this.#waiting.shift()?.resolve(failure === undefined ? undefined : failed(failure.reason));
    }
    this.#startTimer();
  }

  /** Why the line cannot be the answer for the record that is next to get one. */
  #miscountBy(line: string): string | undefined {
    const first = this.#waiting[0];
    if (first === undefined) return `wrote a line when no record waited for one: ${line.slice(0, SHOWN_CHARACTERS)}`;
    const name = namedBy(line);
    const { topic, partition, offset } = first.record;
    const next = `${topic}:${partition}@${offset}`;
    return name === undefined || name === next ? undefined : `acknowledged ${name} when ${next} was next`;
  }

  /** The time of the record that is next to be acknowledged begins when it becomes the next. */
  #startTimer(): void {
    clearTimeout(this.#timer);
    const { timeoutMs } = this.#options;
    if (timeoutMs === undefined || timeoutMs > LONGEST_TIMER_MS || (this.#waiting.length === 0 && !this.#isFinishing))
      return;
    this.#timer = setTimeout(() => this.#giveUp(lateness(timeoutMs)), timeoutMs);
  }

  #giveUp(verdict: string): void {
    if (this.#isOver) return;
    this.#verdict ??= verdict;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#ending ??= this.#group.end('SIGTERM', LATE_GRACE_MS);
  }
}

function endedEarly(failure: FailedAttempt | undefined): FailedAttempt {
  if (failure?.neverBegan) return failure;
  return failed(`it ended before it acknowledged the record${failure ? `: ${failure.reason}` : ''}`);
}
