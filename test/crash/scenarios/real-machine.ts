/** This process, those that it starts, and the disk of the machine. */

import { type StdioOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../../src/clients/client.js';
import { nodeFileSystem } from '../../../src/storage/file-system-node.js';
import type { Clock } from '../../../src/storage/log-context.js';
import { openStore } from '../../../src/store/store.js';
import { clientOn } from '../rig/client-on.js';
import { RebootFileSystem } from '../rig/reboot-file-system.js';
import type { Machine } from './machine.js';
import type { Stage } from './scenario.js';

interface Running {
  readonly stdio?: StdioOptions;
  readonly input?: string | undefined;
  readonly onReady?: (() => void) | undefined;
}

export class RealMachine implements Machine {
  say(text: string): void {
    writeSync(1, text);
  }

  /** Where KLOG_CRASH_BOOT is set the machine has been started again since the files were written. */
  async open(directory: string, clock?: Clock): Promise<Client> {
    const { KLOG_CRASH_BOOT: boot } = process.env;
    const fs = boot === undefined ? nodeFileSystem : new RebootFileSystem(Number(boot));
    return clientOn(await openStore(fs, directory, { create: true, clock }));
  }

  start(stage: Stage, part: string, onReady?: () => void): Promise<void> {
    const args = [process.argv[1]!, `${stage.name}/${part}`, join(stage.directory, '..'), `${stage.seed}`];
    const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', ...(onReady === undefined ? [] : ['ipc' as const])];
    return run(process.execPath, args, { stdio, onReady });
  }

  ready(): void {
    process.send?.('ready');
    process.disconnect?.();
  }

  exit(): Promise<never> {
    process.exit(0);
  }

  klog(args: readonly string[], input?: string): Promise<void> {
    const bin = join(process.env.KLOG_CRASH_ROOT!, 'bin', 'klog.js');
    return run(process.execPath, [bin, ...args], { input });
  }

  async copy(directory: string): Promise<string> {
    const into = mkdtempSync(join(tmpdir(), 'klog-crash-copy-'));
    try {
      await run('cp', ['-r', `${directory}/.`, into], {});
    } catch (error) {
      this.discard(into);
      throw error;
    }
    return into;
  }

  discard(copy: string): void {
    rmSync(copy, { recursive: true, force: true });
  }
}

function run(file: string, args: readonly string[], { stdio, input, onReady }: Running): Promise<void> {
  const child = spawn(file, args, {
    stdio: stdio ?? [input === undefined ? 'ignore' : 'pipe', 'inherit', 'inherit'],
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  if (onReady !== undefined) child.once('message', onReady);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${args.slice(0, 3).join(' ')} ended with ${signal ?? code}`));
    });
  });
}
