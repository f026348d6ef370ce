/** How many bytes a command reads and writes below a directory, as the kernel sees it. Wants strace. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Traffic {
  readonly read: number;
  readonly written: number;
  /** fsync and fdatasync. */
  readonly syncs: number;
}

const CALLS =
  'read,pread64,readv,preadv,preadv2,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,copy_file_range';
/** `PID pread64(20</path>, …) = 4096`; of a call that another thread interrupts, its first half and its second. */
const CALL = /^(\d+) +(\w+)\(\d+<([^>]*)>.* = (\d+)$/;
const BEGUN = /^(\d+) +(\w+)\(\d+<([^>]*)>.*<unfinished \.\.\.>$/;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>.* = (\d+)$/;

export function hasStrace(): boolean {
  return spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0;
}

export function tracedBytes(directory: string, command: readonly string[]): Traffic {
  const folder = mkdtempSync(join(tmpdir(), 'klog-traced-'));
  try {
    const trace = join(folder, 'trace');
    const args = ['-f', '-qq', '-y', '-s', '0', '-o', trace, '-e', `trace=${CALLS}`, ...command];
    const { status, stderr } = spawnSync('strace', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status} under strace: ${stderr}`);
    return trafficOf(readFileSync(trace, 'latin1'), directory);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function trafficOf(trace: string, directory: string): Traffic {
  const traffic = { read: 0, written: 0, syncs: 0 };
  const begun = new Map<string, string>();
  for (const line of trace.split('\n')) {
    const [, beginner, , begunPath] = BEGUN.exec(line) ?? [];
    if (beginner !== undefined) {
      begun.set(beginner, begunPath!);
      continue;
    }
    const [, resumer, resumedCall, resumedResult] = RESUMED.exec(line) ?? [];
    const [, , wholeCall, wholePath, wholeResult] = CALL.exec(line) ?? [];
    const path = resumer === undefined ? wholePath : begun.get(resumer);
    if (path === undefined || !path.startsWith(directory)) continue;
    const call = (resumedCall ?? wholeCall)!;
    const result = Number(resumedResult ?? wholeResult);
    if (call.endsWith('sync')) traffic.syncs++;
    else if (call.includes('write')) traffic.written += result;
    else traffic.read += result;
  }
  return traffic;
}
