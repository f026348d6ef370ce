import type { CliContext, OpenClientOptions } from '../../../src/cli/cli-context.js';
import { runCommandLine } from '../../../src/cli/main.js';
import { BlockOutput } from '../../../src/cli/output.js';
import type { SignalName } from '../../../src/cli/signals.js';
import type { Client } from '../../../src/clients/client.js';

export interface FakeOptions {
  readonly client?: Client;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly now?: number;
  readonly terminal?: boolean;
  readonly stdin?: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;
  /** What /proc/self/cmdline holds. Default: a system that has none. */
  readonly commandLine?: Uint8Array;
  /** What a user at the terminal answers. */
  readonly answer?: boolean;
  /** A signal that has come before the command does anything. */
  readonly interrupted?: SignalName;
  /** The system error of the n-th write, from 1. */
  readonly writeError?: { readonly at: number; readonly code: string };
}

/** A context whose streams are memory. */
export class FakeContext implements CliContext {
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly clock: { now(): number };
  readonly stdin;
  readonly stdout: BlockOutput;
  readonly stderr;
  readonly questions: string[] = [];
  /** Where warnings go is nothing to compare. */
  readonly opened: Omit<OpenClientOptions, 'onWarning'>[] = [];
  readonly #chunks: Buffer[] = [];
  readonly #options: FakeOptions;
  readonly #controller = new AbortController();
  #errorText = '';
  #received: SignalName | undefined;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.env = options.env ?? {};
    this.cwd = options.cwd ?? '/nowhere';
    this.clock = { now: () => options.now ?? 0 };
    const isTerminal = options.terminal ?? false;
    this.stdin = { isTerminal, name: 'standard input', chunks: (signal?: AbortSignal) => this.#input(signal) };
    if (options.interrupted !== undefined) this.interrupt(options.interrupted);
    let writes = 0;
    const write = async (bytes: Buffer) => {
      writes += 1;
      const { writeError } = options;
      if (writeError?.at === writes) throw Object.assign(new Error(writeError.code), { code: writeError.code });
      this.#chunks.push(Buffer.from(bytes));
    };
    this.stdout = new BlockOutput({ write }, { isTerminal, ...(isTerminal ? { columns: () => 100 } : {}) });
    this.stderr = {
      isTerminal,
      columns: isTerminal ? 100 : undefined,
      write: (text: string) => {
        this.#errorText += text;
      },
    };
  }

  get signals() {
    return { signal: this.#controller.signal, received: this.#received };
  }

  interrupt(name: SignalName): void {
    this.#received = name;
    this.#controller.abort();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get out(): string {
    return this.bytes.toString();
  }

  get err(): string {
    return this.#errorText;
  }

  commandLine(): Uint8Array | undefined {
    return this.#options.commandLine;
  }

  async openClient(options: OpenClientOptions): Promise<Client> {
    const { onWarning: _warn, consumes: _consumes, ...compared } = options;
    this.opened.push(compared);
    if (this.#options.client === undefined) throw new Error('this test brings no client');
    return this.#options.client;
  }

  async ask(question: string): Promise<boolean> {
    this.questions.push(question);
    return this.#options.answer ?? false;
  }

  /** Ends with `signal`, as real input does, also where nothing comes. */
  async *#input(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const ended = new Promise<undefined>((resolve) => {
      signal?.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const chunks = this.#chunksOf(this.#options.stdin ?? []);
    for (;;) {
      const next = await Promise.race([chunks.next(), ended]);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  }

  async *#chunksOf(chunks: NonNullable<FakeOptions['stdin']>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}

export interface RunResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly context: FakeContext;
}

/** Runs a command line, parsed as a shell would without quotes: words are separated by spaces. */
export async function run(line: string | readonly string[], options: FakeOptions = {}): Promise<RunResult> {
  const context = new FakeContext(options);
  const args = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line;
  const code = await runCommandLine(args, context);
  return { code, out: context.out, err: context.err, context };
}
