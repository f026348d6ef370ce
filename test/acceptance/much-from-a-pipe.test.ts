import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { finished, shell, startKlog } from '../support/klog-process.js';
import { sharedDirectory } from '../support/temporary-directory.js';

const cwd = sharedDirectory();

const COUNT = 1_200_000;

describe.skipIf(process.platform !== 'linux')('much from a pipe', () => {
  beforeAll(async () => {
    // Some 66 MB, more than comes while a thread starts.
    await shell(`seq -f "line number %.0f of many that come through a pipe" 1 ${COUNT} > lines`, { cwd });
  });

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
    const said = new Set<string>();
    // On a busy machine nothing comes fast, and no thread is started.
    for (let i = 0; i < 20 && !said.has('filled'); i++) {
      writeFileSync(seen, '');
      const options = `NODE_OPTIONS="--require ${join(cwd, 'spy.cjs')}"`;
      const line = `cat lines | ${options} klog produce a${i} -q && klog consume a${i} | cmp - lines`;
      expect(await shell(line, { cwd })).toMatchObject({ code: 0, out: '', err: '' });
      for (const kind of readFileSync(seen, 'latin1').trim().split('\n')) said.add(kind);
    }
    expect(said).toEqual(new Set(['ready', 'filled', 'over']));
  });

  it.each(['-v 1500000', '-d 1000000'])(
    'is read without a thread where `ulimit %s` may leave no room for one',
    async (limit) => {
      const topic = `b${limit.replaceAll(' ', '')}`;
      const line = `cat lines | (ulimit ${limit}; klog produce ${topic} -q) && klog consume ${topic} -o -1 -f %o`;
      expect(await shell(line, { cwd })).toMatchObject({ code: 0, out: String(COUNT - 1), err: '' });
    },
  );

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
