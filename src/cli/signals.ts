export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const SIGNAL_NUMBERS: Readonly<Record<SignalName, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** How a command hears that it shall stop. */
export interface Signals {
  /**
   * Aborts at the first SIGINT, SIGTERM or, unless nohup has started klog, SIGHUP. Asking for it takes over these
   * signals: a command that never asks ends at once, as the kernel has it, and one that asks must end soon after, with
   * all it took care of.
   */
  readonly signal: AbortSignal;
  readonly received: SignalName | undefined;
}

export function signalExitCode(name: SignalName): number {
  return 128 + SIGNAL_NUMBERS[name];
}

/**
 * Whether nohup has started this process. It ignores SIGHUP, but Node takes that back before anything of klog runs, and
 * nothing in /proc tells afterwards. What stays is `_`, in which bash, zsh and ksh leave the path of what they have
 * started; of `trap '' HUP`, or nohup in a shell without `_` (dash), nothing can be known.
 */
function isUnderNohup(env: NodeJS.ProcessEnv): boolean {
  return env._?.endsWith('/nohup') === true;
}

export class ProcessSignals implements Signals {
  /** Called at the first signal, after the abort. */
  onFirst: (() => void) | undefined;
  #controller: AbortController | undefined;
  #received: SignalName | undefined;
  readonly #names = new Set(Object.keys(SIGNAL_NUMBERS) as SignalName[]);

  constructor(env = process.env) {
    if (!isUnderNohup(env)) return;
    this.#names.delete('SIGHUP');
    process.on('SIGHUP', () => {});
  }

  get received(): SignalName | undefined {
    return this.#received;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      for (const name of this.#names) process.on(name, this.#onSignal);
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
    for (const signalName of this.#names) process.removeAllListeners(signalName);
    process.kill(process.pid, name);
  };
}
