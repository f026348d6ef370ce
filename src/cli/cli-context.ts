import { readFileSync, writeSync } from 'node:fs';
import type { Client } from '../clients/client.js';
import type { OpenClientOptions as DirectoryOptions } from '../clients/local/open-client.js';
import { describeDescriptor } from './descriptor.js';
import { DescriptorInput, type Input } from './input.js';
import { BlockOutput, type Output } from './output.js';
import { openSink } from './output-sink.js';
import { ProcessSignals, type Signals } from './signals.js';

/** Everything a command touches outside itself. Tests pass their own. */
export interface CliContext {
  readonly stdin: Input;
  /** Data only. */
  readonly stdout: Output;
  /** Notices, progress, questions and errors. */
  readonly stderr: ErrorOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Milliseconds since 1970. */
  readonly clock: { now(): number };
  readonly signals: Signals;
  /**
   * The process's arguments as bytes, each with a NUL behind it; undefined (or absent) where the system does not tell.
   */
  commandLine?(): Uint8Array | undefined;
  /** Opens a home of topics. Fails with KLOG_BAD_DIRECTORY, KLOG_PERMISSION_DENIED, …; the caller closes it. */
  openClient(options: OpenClientOptions): Promise<Client>;
  /** A question to be answered with yes or no. Asked only where `stdin` and `stderr` are terminals. */
  ask(question: string): Promise<boolean>;
}

/** The path is absolute. */
export interface OpenClientOptions extends Omit<DirectoryOptions, 'lockWaitMs'> {
  /** False: no consumer will be asked for, and their code is not loaded. Default true. */
  readonly consumes?: boolean;
}

export interface ErrorOutput {
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
  /** Written at once, in order. A failure is nobody's business: there is nowhere left to tell it. */
  write(text: string): void;
}

/** How long a reader may take nothing after Ctrl-C. */
const STUCK_MS = 100;

/** The context of this process. Parts are made when they are first asked for: a start pays for what it uses. */
export class ProcessContext implements CliContext {
  readonly env = process.env;
  readonly clock = { now: () => Date.now() };
  readonly signals = new ProcessSignals();
  readonly stderr = new ProcessErrorOutput();
  #stdin: Input | undefined;
  #stdout: Output | undefined;
  #isSuspendable = false;

  get cwd(): string {
    return process.cwd();
  }

  get stdin(): Input {
    this.#stdin ??= new DescriptorInput(0, 'standard input');
    return this.#stdin;
  }

  get stdout(): Output {
    this.#stdout ??= this.#openStandardOutput();
    return this.#stdout;
  }

  #openStandardOutput(): Output {
    const kind = describeDescriptor(1);
    const isTerminal = kind === 'terminal';
    const width = isTerminal ? { columns: () => knownWidth(process.stdout) } : {};
    const output = new BlockOutput(openSink(1, kind), { isTerminal, ...width });
    // A pager that waits for its user must not hold up Ctrl-C.
    this.signals.onFirst = () => output.abandonWhenStuck(STUCK_MS);
    return output;
  }

  commandLine(): Uint8Array | undefined {
    try {
      return readFileSync('/proc/self/cmdline');
    } catch {
      return undefined;
    }
  }

  async openClient(options: OpenClientOptions): Promise<Client> {
    const [{ openClient, openProducingClient }, { suspendBetweenLocks }] = await Promise.all([
      import('../clients/local/open-client.js'),
      import('./suspend.js'),
    ]);
    if (!this.#isSuspendable) suspendBetweenLocks();
    this.#isSuspendable = true;
    const { consumes = true, ...others } = options;
    return consumes ? openClient(others) : openProducingClient(others);
  }

  async ask(question: string): Promise<boolean> {
    const { askYesNo } = await import('./prompts.js');
    return askYesNo(question);
  }
}

/** Terminals that nobody sized (of `script` in a job, of a container) say that they are 0 columns wide. */
function knownWidth({ columns }: { columns?: number }): number | undefined {
  return columns || undefined;
}

class ProcessErrorOutput implements ErrorOutput {
  #isTerminal: boolean | undefined;

  get isTerminal(): boolean {
    this.#isTerminal ??= describeDescriptor(2) === 'terminal';
    return this.#isTerminal;
  }

  get columns(): number | undefined {
    return this.isTerminal ? knownWidth(process.stderr) : undefined;
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    let done = 0;
    for (let attempts = 0; done < bytes.length && attempts < 1000; ) {
      try {
        done += writeSync(2, bytes, done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        // Someone made it non-blocking and it is full: give its reader a moment.
        attempts += 1;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  }
}
