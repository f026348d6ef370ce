export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const SIGNAL_NUMBERS: Readonly<Record<SignalName, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** How a command hears that it shall stop. */
export interface Signals {
  /**
   * Aborts at the first SIGINT, SIGTERM or SIGHUP. Asking for it takes over these signals: a command that never asks
   * ends at once, as the kernel has it, and one that asks must end soon after, with all it took care of.
   */
  readonly signal: AbortSignal;
  readonly received: SignalName | undefined;
}

export function signalExitCode(name: SignalName): number {
  return 128 + SIGNAL_NUMBERS[name];
}

export class ProcessSignals implements Signals {
  /** Called at the first signal, after the abort. */
  onFirst: (() => void) | undefined;
  #controller: AbortController | undefined;
  #received: SignalName | undefined;

  get received(): SignalName | undefined {
    return this.#received;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      for (const name of Object.keys(SIGNAL_NUMBERS) as SignalName[]) process.on(name, this.#onSignal);
    }
    return this.#controller.signal;
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    if (this.#received === undefined) {
      this.#received = name as SignalName;
      this.#controller?.abort();
      this.onFirst?.();
      return;
    }
    // The second one ends the process at once, by the kernel: an exit would wait for threads in the middle of a call.
    for (const signalName of Object.keys(SIGNAL_NUMBERS)) process.removeAllListeners(signalName);
    process.kill(process.pid, name);
  };
}
