import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Finished, shell, startKlog } from '../support/klog-process.js';
import { realDisk } from '../support/scratch-space.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory(realDisk());
});

/** A line of shell in which `klog` works on a log of its own. */
function sh(script: string): Promise<Finished> {
  return shell(script, { cwd: directory, env: { HOME: directory } });
}

function startProduce(...args: readonly string[]): ChildProcess {
  return startKlog(['produce', ...args], { cwd: directory, env: { HOME: directory } });
}

/** The records of a topic, once there are as many as expected; what there is after ten seconds otherwise. */
async function waitForLines(topic: string, count: number): Promise<string[]> {
  for (let attempts = 0; ; attempts++) {
    const lines = (await sh(`klog consume ${topic} 2>/dev/null`)).out.split('\n').slice(0, -1);
    if (lines.length >= count || attempts === 50) return lines;
    await sleep(200);
  }
}

describe('klog produce, the process', () => {
  it('takes a pipe to its end, and what a filter left of it, be it nothing', async () => {
    const { code, out, err } = await sh(
      'seq 1 1000 | klog produce numbers && klog consume numbers | cksum; seq 1 1000 | cksum',
    );
    expect(code).toBe(0);
    expect(new Set(out.trim().split('\n')).size).toBe(1);
    expect(err).toBe(`created topic 'numbers' with 1 partition in ${join(directory, '.klog')}\n`);
    expect(await sh('seq 1 9 | grep X | klog produce none -q; klog consume none')).toEqual({
      code: 0,
      out: '',
      err: '',
    });
  });

  it('gives back lines of a megabyte, and any bytes, as they came', async () => {
    const make = 'head -c 3000000 /dev/urandom > in; { head -c 1048576 /dev/zero | tr "\\0" x; echo; } >> in';
    const { out } = await sh(
      `${make}; cat in | klog produce t -q; klog produce t < in; klog consume t > out; cat in in | cmp - out && echo same`,
    );
    expect(out).toBe('same\n');
  });

  it('lets a record wait no longer than --linger, however idle its input', async () => {
    const producing = startProduce('t', '--linger', '20ms');
    producing.stdin!.write('now\nunfinished');
    expect(await waitForLines('t', 1)).toEqual(['now']);
    producing.stdin!.end();
    expect(await once(producing, 'exit')).toEqual([0, null]);
    expect(await waitForLines('t', 2)).toEqual(['now', 'unfinished']);
  });

  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
  ] as const)('stops reading at $signal, keeps what it read, and says so', async ({ signal, code }) => {
    // Long enough that nothing was sent when the signal comes.
    const producing = startProduce('t', '--linger', '1h', '-T');
    let err = '';
    producing.stderr!.on('data', (chunk) => {
      err += chunk;
    });
    producing.stdin!.write('1\n2\n3\nunfinished');
    // The copy on standard output tells that they were read.
    await once(producing.stdout!, 'data');
    producing.kill(signal);
    expect(await once(producing, 'close')).toEqual([code, null]);
    expect(err).toContain(
      `stopped by ${signal}: 3 records are durable, the last at t:0@2; an unfinished line of 10 B was left out`,
    );
    expect(await waitForLines('t', 3)).toEqual(['1', '2', '3']);
  });

  it('fails when its report cannot be written', async () => {
    const { code, err } = await sh('seq 1 3 | klog produce t --report %o > /dev/full');
    expect(code).toBe(1);
    expect(err).toMatch(/klog: writing standard output: no space left on device/);
  });

  it.runIf(process.platform === 'linux')('stores arguments byte for byte, UTF-8 or not', async () => {
    const produced = await sh("klog produce t -q -k $'k\\xff' --value $'\\xfe\\xc3\\xa9\\xef\\xbf\\xbd' -H $'h=\\x80'");
    expect(produced).toEqual({ code: 0, out: '', err: '' });
    expect((await sh("klog consume t -f '%k{hex} %v{hex} %h{%v{hex}}'")).out).toBe('6bff fec3a9efbfbd 80');
  });
});
