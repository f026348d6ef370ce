import { lockGate } from '../storage/lock-gate.js';

/**
 * Ctrl-Z: finishes what is under a lock, lets go of it, and only then stops; others write on meanwhile. The second one
 * stops at once. It stops by the signal's own default, so that the kernel may ignore it where nobody could continue the
 * process.
 */
export function suspendBetweenLocks(): void {
  // Windows has no such thing.
  if (process.platform === 'win32') return;
  let isFinishing = false;
  const stop = () => {
    isFinishing = false;
    process.off('SIGTSTP', onSignal);
    process.kill(process.pid, 'SIGTSTP');
    // Here it goes on.
    process.on('SIGTSTP', onSignal);
    lockGate.open();
  };
  const onSignal = (): void => {
    if (isFinishing) {
      stop();
      return;
    }
    isFinishing = true;
    void lockGate.close().then(() => {
      if (isFinishing) stop();
    });
  };
  process.on('SIGTSTP', onSignal);
}
