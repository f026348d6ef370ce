/** Whether a round was what its name says: a fault that met nobody, or a copy of a log at rest, shows nothing. */
import type { Operation, RoundEvent } from './history.js';
import type { RoundName } from './round-plan.js';

export interface CopyTime {
  /** Nanoseconds. */
  readonly invoked: number;
  readonly completed: number;
}

export interface RoundFacts {
  readonly operations: readonly Operation[];
  readonly events: readonly RoundEvent[];
  /** That met a running process. */
  readonly signals: number;
  readonly copies: readonly CopyTime[];
}

/** How often that came about which the round is named for. */
export function cameAbout(name: RoundName, { operations, events, signals, copies }: RoundFacts): number {
  const count = (is: (event: RoundEvent) => boolean): number => events.filter(is).length;
  switch (name) {
    case 'undisturbed':
    case 'slow calls':
      return countOverlaps(operations) > 0 ? 1 : 0;
    case 'kills':
    case 'stops':
      return signals;
    case 'killed between append and sync':
      return count(({ action, call }) => action === 'kill' && call === 'sync');
    case 'sync leader fails while others wait':
      return count(({ action, call, waiters }) => action === 'fail' && call === 'sync' && isAtLeast(3, waiters));
    case 'roll while others wait':
      return count(({ action, call, waiters }) => action === 'note' && call === 'make' && isAtLeast(1, waiters));
    case 'topic replaced while others wait':
      return count(({ action, call, waiters }) => action === 'note' && call === 'rename' && isAtLeast(1, waiters));
    case 'files swapped between two opens of a reader':
      return count(({ swapped }) => swapped === true);
    case 'copied under load':
      return copies.filter((copy) => operations.some((one) => one.kind === 'send' && endsWithin(one, copy))).length;
    case 'killed in mid-write while others wait':
      return count(({ action, when, waiters }) => action === 'kill' && when === 'torn' && isAtLeast(1, waiters));
    case 'settler killed':
      return count(({ action }) => action === 'kill') >= 2 ? 1 : 0;
    case 'stopped while holding a lock':
      return count(({ action }) => action === 'stop');
    case 'killed at any call':
      return count(({ action }) => action === 'kill');
  }
}

/** Not known (-1) counts: only Linux tells. */
function isAtLeast(wanted: number, waiters: number | undefined): boolean {
  return waiters !== undefined && (waiters < 0 || waiters >= wanted);
}

function endsWithin({ completed }: Operation, { invoked, completed: end }: CopyTime): boolean {
  return completed > invoked && completed < end;
}

/** Sends that began before another process's send had been answered. */
function countOverlaps(operations: readonly Operation[]): number {
  const sends = operations.filter((one) => one.kind === 'send').sort((a, b) => a.invoked - b.invoked);
  let overlaps = 0;
  for (const [i, send] of sends.entries()) {
    const before = sends[i - 1];
    if (before !== undefined && before.session !== send.session && send.invoked < before.completed) overlaps++;
  }
  return overlaps;
}
