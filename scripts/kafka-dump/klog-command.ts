/** The built command on one directory. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Printed, run } from './kafka-tool.js';

const PROGRAM = resolve(import.meta.dirname, '../../bin/klog.js');

export class KlogCommand {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  partition(name: string): string {
    return join(this.directory, 'log', name);
  }

  /** @throws unless it ends with `expected` */
  run(args: readonly string[], input = '', expected = 0): Printed {
    const printed = run(process.execPath, [PROGRAM, '-d', this.directory, ...args], input);
    if (printed.code === expected) return printed;
    throw new Error(`klog ${args.join(' ')} ended with ${printed.code}, not ${expected}: ${printed.err}`);
  }

  /** Input without end, until a kill -9 some milliseconds after the first record was acknowledged. */
  async killWhileProducing(topic: string, afterMs: number): Promise<void> {
    const args = [
      '-d',
      this.directory,
      'produce',
      topic,
      '--report',
      '%o\\n',
      '--batch-bytes',
      '700',
      '--linger',
      '1ms',
    ];
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    const exit = once(child, 'exit');
    child.stdin.on('error', () => {});
    let number = 0;
    const feed = setInterval(() => {
      for (let i = 0; i < 20; i++) child.stdin.write(`written before the kill ${number++}\n`);
    }, 1);
    await Promise.race([once(child.stdout, 'data'), exit]);
    child.stdout.resume();
    await sleep(afterMs);
    child.kill('SIGKILL');
    await exit;
    clearInterval(feed);
    if (child.signalCode !== 'SIGKILL') throw new Error(`klog produce ended before the kill, with ${child.exitCode}`);
  }

  static version(): string {
    return spawnSync(process.execPath, [PROGRAM, '--version'], { encoding: 'utf8' }).stdout.trim();
  }
}
