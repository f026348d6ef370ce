/** What the machine brings: Node, native parts, limits, the clock. */
import { readFileSync } from 'node:fs';
import { hasNativeCrc32c } from '../../format/crc32c.js';
import { nativeLocks } from '../../storage/native-locks.js';
import { lockMechanismOf } from '../../store/klog-json.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** What the checks look at; tests pass their own. */
export interface Machine {
  readonly nodeVersion: string;
  readonly platform: string;
  /** `undefined`: there is no such file. */
  read(path: string): string | undefined;
  /** Throws why locks cannot be had. */
  loadLocks(): void;
  hasNativeCrc32c(): boolean;
  /** Milliseconds since 1970. */
  now(): number;
}

export const thisMachine: Machine = {
  nodeVersion: process.versions.node,
  platform: process.platform,
  read: (path) => {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return undefined;
    }
  },
  loadLocks: () => void nativeLocks(),
  hasNativeCrc32c,
  now: Date.now,
};

const OLDEST_NODE = [20, 19] as const;
/** The largest number of descriptors that klog uses of its own, and as many for everything else. */
const ENOUGH_OPEN_FILES = 512;
/** klog began after that: a clock that says less is not set. */
const NOT_BEFORE = Date.UTC(2025, 0, 1);
const DAY_MS = 86_400_000;

export function checkMachine(machine: Machine): Finding[] {
  return [checkNode(machine), checkLocks(machine), checkCrc(machine), ...checkLimits(machine), checkClock(machine)];
}

function checkNode({ nodeVersion }: Machine): Finding {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (!isOld) return ok('node', `Node ${nodeVersion}`);
  return fail('node', `Node ${nodeVersion} is older than ${OLDEST_NODE.join('.')}`, 'Install a newer Node');
}

function checkLocks(machine: Machine): Finding {
  try {
    machine.loadLocks();
    return ok('locks', `kernel locks (${lockMechanismOf(machine.platform)}) through the native addon`);
  } catch (error) {
    return fail('locks', (error as Error).message, 'Install klog again for this platform; it can only be read without');
  }
}

function checkCrc(machine: Machine): Finding {
  if (machine.hasNativeCrc32c()) return ok('crc', "checksums by the CPU's own instruction");
  return warn('crc', 'checksums in JavaScript: right, and several times slower', 'Install the optional @node-rs/crc32');
}

function checkLimits(machine: Machine): Finding[] {
  const findings: Finding[] = [];
  const limits = machine.read('/proc/self/limits');
  const openFiles = /^Max open files +(\d+|unlimited)/m.exec(limits ?? '')?.[1];
  if (openFiles !== undefined) {
    const isEnough = openFiles === 'unlimited' || Number(openFiles) >= ENOUGH_OPEN_FILES;
    findings.push(
      isEnough
        ? ok('open files', `at most ${openFiles} for a process`)
        : warn(
            'open files',
            `at most ${openFiles} for a process: many partitions are opened and closed in turn`,
            `ulimit -n ${ENOUGH_OPEN_FILES}`,
          ),
    );
  }
  const instances = number(machine.read('/proc/sys/fs/inotify/max_user_instances'));
  const watches = number(machine.read('/proc/sys/fs/inotify/max_user_watches'));
  if (instances !== undefined && watches !== undefined) {
    const text = `${instances} inotify instances and ${watches} watches for a user`;
    const hint = 'Followers beyond it poll every 25 ms; sysctl fs.inotify.max_user_instances raises it';
    findings.push(instances < 64 || watches < 1024 ? warn('inotify', text, hint) : ok('inotify', text));
  }
  return findings;
}

function number(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+\s*$/.test(text) ? undefined : Number(text);
}

/** The clock is data to klog, never order; but retention by time believes it. */
function checkClock(machine: Machine): Finding {
  const now = machine.now();
  const shown = new Date(now).toISOString();
  if (now < NOT_BEFORE) {
    return warn('clock', `it says ${shown}`, 'Set it: timestamps and retention by time go by it');
  }
  const uptime = Number(/^[\d.]+/.exec(machine.read('/proc/uptime') ?? '')?.[0] ?? Number.NaN) * 1000;
  const bootTime = Number(/^btime (\d+)$/m.exec(machine.read('/proc/stat') ?? '')?.[1] ?? Number.NaN) * 1000;
  if (Number.isNaN(uptime) || Number.isNaN(bootTime)) return ok('clock', `it says ${shown}`);
  if (bootTime > now || Math.abs(now - uptime - bootTime) > DAY_MS) {
    const boot = new Date(bootTime).toISOString();
    return warn('clock', `it says ${shown}, the kernel that it booted ${boot}`, 'Look which of the two is wrong');
  }
  return ok('clock', `it says ${shown}, up since ${new Date(bootTime).toISOString()}`);
}
