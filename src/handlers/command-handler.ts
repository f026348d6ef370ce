import { systemReason } from '../errors.js';
import { type FailedAttempt, failed, type HandledRecord, type Handler, notBegun } from './handler.js';
import { type HandlerInput, ProcessGroup, type ProcessGroupOptions } from './process-group.js';
import { type Environment, recordEnvironment, withoutRecord } from './record-environment.js';

export interface CommandOptions {
  /** Run by `sh -c`. */
  readonly command: string;
  /** The longest time for one record, in milliseconds; beyond {@link LONGEST_TIMER_MS} none. Default: none. */
  readonly timeoutMs?: number | undefined;
  readonly env: Environment;
  /** Aborts when klog itself shall stop; handlers that run are told by the signal that klog was told by. */
  readonly signal: AbortSignal;
  readonly stopSignal: () => NodeJS.Signals;
  readonly groupLives: ProcessGroupOptions['groupLives'];
  /** Puts a value where a command reads all of it, whatever becomes of klog meanwhile. */
  readonly inputFile: (bytes: Uint8Array) => HandlerInput;
}

/** What a timer can be set to, 24 days: one that is set to more goes off at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Between the request to end and the end by force: for a handler that is too late, and one that is stopped. */
export const LATE_GRACE_MS = 1000;
export const STOP_GRACE_MS = 5000;

/**
 * Runs a command for each record: the value on its standard input, the rest in the environment. Exit code 0
 * acknowledges; not reading the input is no failure, death by a signal is. What a command leaves running in the
 * background is its own affair, unless it is too late or stopped: then all of it ends.
 */
export class CommandHandler implements Handler {
  readonly #options: CommandOptions;
  readonly #env: Environment;

  constructor(options: CommandOptions) {
    this.#options = options;
    this.#env = withoutRecord(options.env);
  }

  get name(): string {
    return this.#options.command;
  }

  async handle(record: HandledRecord): Promise<FailedAttempt | undefined> {
    const { timeoutMs, signal, stopSignal } = this.#options;
    let group: ProcessGroup;
    try {
      group = this.#start(record);
    } catch (error) {
      return startFailure(error);
    }
    let isLate = false;
    let ending: Promise<void> | undefined;
    const isTimed = timeoutMs !== undefined && timeoutMs <= LONGEST_TIMER_MS;
    const timer = isTimed ? setTimeout(() => endLate(), timeoutMs) : undefined;
    const endLate = () => {
      isLate = true;
      ending ??= group.end('SIGTERM', LATE_GRACE_MS);
    };
    const stop = () => {
      ending ??= group.end(stopSignal(), STOP_GRACE_MS);
    };
    signal.addEventListener('abort', stop, { once: true });
    const failure = await group.ended;
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    // The next attempt begins when nothing of this one is left.
    await ending;
    if (isLate) return failed(lateness(timeoutMs));
    return failure;
  }

  async close(): Promise<void> {}

  #start(record: HandledRecord): ProcessGroup {
    const { command, groupLives, inputFile } = this.#options;
    const env = { ...this.#env, ...recordEnvironment(record) };
    const input = record.input.length === 0 ? undefined : inputFile(record.input);
    try {
      return new ProcessGroup({ command, env, input: input?.fd ?? 'ignore', output: 'inherit', groupLives });
    } finally {
      input?.close();
    }
  }
}

export function lateness(timeoutMs: number | undefined): string {
  return `it took longer than ${timeoutMs} ms`;
}

/** The environment and the arguments of a process have to fit into what the system allows. */
function startFailure(error: unknown): FailedAttempt {
  const isTooMuch = (error as NodeJS.ErrnoException).code === 'E2BIG';
  return isTooMuch ? failed('its key and headers do not fit into an environment') : notBegun(systemReason(error));
}
