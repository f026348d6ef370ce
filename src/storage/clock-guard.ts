/**
 * Whether the wall clock may be believed when something is to be deleted by its age. A clock that jumps must not delete
 * anything: how far it has come since the last upkeep is held against the time since the machine was started, which
 * nobody sets. If they differ by more than an hour the clock is not believed until it agrees again with what it was,
 * or, since the jump may have been the correction, until it has been left alone for a day.
 *
 * What is compared with lies in the control record, from the partition's first moment on, and anew from the first
 * settling of each boot. So a jump within a boot is noticed; what a clock does while the machine is off is not.
 */
import { crc32c } from '../format/crc32c.js';
import type { ControlRecord } from './control-record.js';
import type { LogChange } from './layout-change.js';
import type { Clock } from './log-context.js';

const LARGEST_DRIFT_MS = 3_600_000;
const DISTRUST_MS = 24 * 3_600_000;
/** The reference is written anew when it is older than this, so that slow drift never adds up to a jump. */
const REFERENCE_AGE_MS = 60_000;

type Reference = Pick<ControlRecord, 'upkeepMs' | 'upkeepUptimeMs' | 'upkeepBoot' | 'clockDistrust'>;

export interface ClockVerdict {
  readonly believed: boolean;
  /** What is to be remembered; empty: nothing new. */
  readonly change: LogChange;
}

export function judgeClock(clock: Clock, bootId: Uint8Array, last: Reference): ClockVerdict {
  const uptime = clock.uptime?.();
  if (uptime === undefined) return { believed: true, change: {} };
  const now = clock.now();
  const reference = referenceAt(now, uptime, bootId);
  if (last.upkeepMs === 0 || last.upkeepBoot !== reference.upkeepBoot) return { believed: true, change: reference };
  const passed = uptime - last.upkeepUptimeMs;
  const drift = Math.abs(now - last.upkeepMs - passed);
  if (drift <= LARGEST_DRIFT_MS) {
    const isNews = last.clockDistrust !== 0 || passed >= REFERENCE_AGE_MS;
    return { believed: true, change: isNews ? reference : {} };
  }
  if (last.clockDistrust === 0) {
    return { believed: false, change: { clockDistrust: Math.ceil((uptime + DISTRUST_MS) / 1000) } };
  }
  if (uptime < last.clockDistrust * 1000) return { believed: false, change: {} };
  return { believed: true, change: reference };
}

/** What later jumps are told by. Empty: it is known already, or nothing tells how long the machine has been up. */
export function clockReference(clock: Clock, bootId: Uint8Array, last?: Reference): Partial<Reference> {
  const uptime = clock.uptime?.();
  if (uptime === undefined) return {};
  const reference = referenceAt(clock.now(), uptime, bootId);
  const isKnown = last !== undefined && last.upkeepMs !== 0 && last.upkeepBoot === reference.upkeepBoot;
  return isKnown ? {} : reference;
}

function referenceAt(now: number, uptime: number, bootId: Uint8Array): Reference {
  const upkeepBoot = crc32c(bootId, 0, bootId.length);
  return { upkeepMs: Math.max(1, now), upkeepUptimeMs: Math.floor(uptime), upkeepBoot, clockDistrust: 0 };
}
