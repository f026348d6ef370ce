import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicPartition } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import { recordEnvironment } from './record-environment.js';

export interface HandlerOptions {
  /** Run by `sh -c`, once a record. */
  readonly command: string;
  /** How often a failed record is tried again. */
  readonly retries: number;
  /** Milliseconds; none: for ever. */
  readonly timeoutMs?: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;
/** Between the request to end and the end by force. */
const GRACE_MS = 1000;

/** Runs a command for a record: the value on its standard input. Exit code 0 acknowledges, anything else is a failure. */
export class RecordHandler {
  readonly #options: HandlerOptions;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  /**
   * Resolves true when the handler has acknowledged the record, false when it was told to stop meanwhile.
   * KLOG_HANDLER_FAILED after the last try.
   */
  async handle(cursor: RecordCursor, place: TopicPartition): Promise<boolean> {
    const { retries, signal, command } = this.#options;
    const environment = recordEnvironment(cursor, place);
    const value = cursor.value() ?? Buffer.alloc(0);
    for (let attempt = 0; ; attempt++) {
      const failure = await this.#run(value, environment);
      if (failure === undefined) return true;
      if (signal.aborted) return false;
      if (attempt === retries) {
        const { topic, partition } = place;
        const times = retries === 0 ? '' : ` (${retries + 1} tries)`;
        throw new KlogError(
          'KLOG_HANDLER_FAILED',
          `'${command}' failed on ${topic}:${partition}@${cursor.offset}: ${failure}${times}`,
          { topic, partition, offset: cursor.offset },
        );
      }
      const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** attempt, LONGEST_BACKOFF_MS);
      await sleep(backoff, undefined, { signal }).catch(() => {});
      if (signal.aborted) return false;
    }
  }

  /** What went wrong, or nothing. */
  #run(value: Uint8Array, environment: Record<string, string>): Promise<string | undefined> {
    const { command, env, timeoutMs } = this.#options;
    return new Promise((resolve) => {
      const child = spawn('sh', ['-c', command], {
        stdio: ['pipe', 'inherit', 'inherit'],
        env: { ...env, ...environment },
      });
      let isLate = false;
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => endLate(), timeoutMs);
      const endLate = () => {
        isLate = true;
        child.kill('SIGTERM');
        setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
      };
      child.on('error', (error) => {
        clearTimeout(timer);
        resolve(error.message);
      });
      child.on('exit', (code, signalName) => {
        clearTimeout(timer);
        if (isLate) resolve(`it took longer than ${timeoutMs} ms`);
        else if (signalName !== null) resolve(`ended by ${signalName}`);
        else resolve(code === 0 ? undefined : `exit code ${code}`);
      });
      // A handler need not read its input.
      child.stdin.on('error', () => {});
      child.stdin.end(value);
    });
  }
}
