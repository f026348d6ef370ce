import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { finished, shell, startKlog } from '../support/klog-process.js';
import { sharedDirectory } from '../support/temporary-directory.js';

const cwd = sharedDirectory();

/** Some 44 MB, more than comes while a thread starts. */
const LINES = 'seq -f "line number %.0f of many that come through a pipe" 1 800000';
const LAST = 'line number 800000 of many that come through a pipe\n';

describe.skipIf(process.platform !== 'linux')('much from a pipe', () => {
  it('is read by a thread', async () => {
    const seen = join(cwd, 'threads');
    // Notes what the threads of a process say.
    const spy = `const threads = require('node:worker_threads');
      const { appendFileSync } = require('node:fs');
      threads.Worker = class extends threads.Worker {
        constructor(...args) {
          super(...args);
          this.on('message', ({ kind }) => appendFileSync(${JSON.stringify(seen)}, kind + '\\n'));
        }
      };`;
    writeFileSync(join(cwd, 'spy.cjs'), spy);
    const line = `${LINES} | NODE_OPTIONS="--require ${join(cwd, 'spy.cjs')}" klog produce a -q && klog consume a | cmp - <(${LINES})`;
    expect(await shell(line, { cwd })).toMatchObject({ code: 0, out: '', err: '' });
    const said = new Set(readFileSync(seen, 'latin1').trim().split('\n'));
    expect(said).toEqual(new Set(['ready', 'filled', 'over']));
  });

  it('is read without a thread where `ulimit -v` may leave none any room', async () => {
    const line = `${LINES} | (ulimit -v 1500000; klog produce b -q) && klog consume b -o -1`;
    expect(await shell(line, { cwd })).toMatchObject({ code: 0, out: LAST, err: '' });
  });

  it('is stored as far as it was read when Ctrl-C comes', async () => {
    const path = join(cwd, 'pipe');
    // The reading end stays open: what klog has left in the pipe is read here.
    const writer = spawn('bash', ['-c', `mkfifo "$0" && seq 1 1000000000 > "$0"`, path], { stdio: 'ignore' });
    while (!existsSync(path)) await delay(1);
    const pipe = openSync(path, 'r');
    try {
      const producing = startKlog(['produce', 'c'], { cwd }, { stdio: [pipe, 'pipe', 'pipe'] });
      const end = finished(producing);
      while (stored('c') < 40_000_000) await delay(5);
      producing.kill('SIGINT');
      const { code, err } = await end;
      const told =
        /\nstopped by SIGINT: (\d+) records are durable, [^;]*(?:; an unfinished line of (\d+) B was left out)?\n$/;
      expect({ code, err }).toEqual({ code: 130, err: expect.stringMatching(told) });
      const [, count, leftOut = '0'] = told.exec(err)!;
      const last = await shell('klog consume c -o -1 -f "%o %v"', { cwd });
      expect(last.out).toBe(`${Number(count) - 1} ${count}`);
      const rest = Buffer.alloc(20);
      readSync(pipe, rest);
      const next = Array.from({ length: 4 }, (_, i) => `${Number(count) + 1 + i}\n`).join('');
      expect(rest.toString('latin1')).toBe(next.slice(Number(leftOut)).slice(0, 20));
    } finally {
      closeSync(pipe);
      writer.kill('SIGKILL');
    }
  });
});

/** Bytes that the topic has by now. */
function stored(topic: string): number {
  const directory = join(cwd, '.klog', 'log', `${topic}-0`);
  if (!existsSync(directory)) return 0;
  return statSync(join(directory, '00000000000000000000.log')).size;
}
