/** Where the figures come from. */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** For the name of a file: `linux-x64-2cpu`. */
export function machineName(): string {
  return `${process.platform}-${process.arch}-${cpus().length}cpu`;
}

export function machineDescription(folder: string): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`;
  const fileSystem = output('stat', ['-f', '-c', '%T', folder]) ?? 'unknown';
  return `${model}, ${cpus().length} CPUs, ${memory}, ${process.platform} ${release()}, ${fileSystem}, Node ${process.version}`;
}

/** Of the last minute. Above the number of CPUs somebody else was at work. */
export function load(): string {
  return loadavg()[0]!.toFixed(1);
}

export function commit(): string {
  const hash = output('git', ['rev-parse', '--short', 'HEAD']) ?? 'unknown';
  const changed = output('git', ['status', '--porcelain', '--', 'src', 'bin', 'scripts/build.mjs', 'package.json']);
  return changed === '' ? hash : `${hash} with changes`;
}

function output(command: string, args: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
