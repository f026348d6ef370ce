import type { CliContext } from './cli-context.js';
import type { Loudness } from './notices.js';

/** Work that is done by then needs no progress, and does not pay for loading it. */
const SHOW_AFTER_MS = 150;
const REDRAW_MS = 100;

/** A line on standard error that tells how far long work has come: on a terminal, after a moment, unless `-q`. */
export class Progress {
  readonly #describe: () => string;
  #timer: NodeJS.Timeout | undefined;
  #spinner: { text: string; stop(): unknown } | undefined;
  #isOver = false;

  /** `describe` is asked again and again: records, bytes, rate, and what is left where that is known. */
  constructor(loudness: Loudness, context: Pick<CliContext, 'stderr'>, describe: () => string) {
    this.#describe = describe;
    const { isTerminal, columns } = context.stderr;
    // Without a width nobody can tell how many lines a text takes; ora would clear lines for ever.
    if (loudness.quiet || !isTerminal || columns === undefined) return;
    this.#timer = setTimeout(() => void this.#show(), SHOW_AFTER_MS);
    this.#timer.unref();
  }

  /** Takes the line away. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#spinner?.stop();
    this.#spinner = undefined;
  }

  async #show(): Promise<void> {
    const { default: ora } = await import('ora');
    if (this.#isOver) return;
    // What is typed meanwhile belongs to standard input's reader.
    const spinner = ora({ stream: process.stderr, text: this.#describe(), discardStdin: false }).start();
    this.#spinner = spinner;
    this.#timer = setInterval(() => {
      spinner.text = this.#describe();
    }, REDRAW_MS);
    this.#timer.unref();
  }
}
