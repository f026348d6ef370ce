import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { finished, klog, type RunOptions, startKlog } from '../support/klog-process.js';
import { realDisk } from '../support/scratch-space.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let cwd: string;
let options: RunOptions;

beforeEach(() => {
  cwd = temporaryDirectory(realDisk());
  options = { cwd, env: { HOME: cwd } };
});

const logNames = (directory = '.klog') => {
  const path = join(cwd, directory, 'log');
  return existsSync(path) ? readdirSync(path) : [];
};
const partitions = (topic: string, directory?: string) =>
  logNames(directory).filter((name) => new RegExp(`^${topic}-\\d+$`).test(name));

/** Runs klog and kills it with SIGKILL as soon as `isMidway`. Answers whether it was still at work. */
async function killMidway(args: readonly string[], isMidway: () => boolean): Promise<boolean> {
  const child = startKlog(args, options);
  const end = finished(child);
  let isOver = false;
  void end.then(() => {
    isOver = true;
  });
  while (!isOver && !isMidway()) await new Promise((resolve) => setImmediate(resolve));
  child.kill('SIGKILL');
  return (await end).code === 137;
}

describe('killed in the middle, and run again', () => {
  it('topic delete: the topic is gone at once, its files with the second run', async () => {
    await klog(['topic', 'create', 'big', '-p', '300'], options);
    await klog(['topic', 'create', 'other'], options);
    expect(partitions('big')).toHaveLength(300);
    const wasKilled = await killMidway(['topic', 'delete', 'big', '-y'], () => partitions('big').length < 200);
    expect(wasKilled).toBe(true);
    const left = logNames().filter((name) => name.startsWith('big-'));
    expect(left.length).toBeGreaterThan(0);
    expect((await klog(['topic', 'list'], options)).out).toBe('other\t1\n');
    expect((await klog(['consume', 'big'], options)).code).toBe(4);
    const again = await klog(['topic', 'delete', 'big', '-y'], options);
    expect(again).toMatchObject({ code: 0, err: expect.stringContaining("finished deleting topic 'big'") });
    expect(logNames().filter((name) => name.startsWith('big-'))).toEqual([]);
    expect((await klog(['topic', 'delete', 'big', '-y'], options)).code).toBe(4);
    expect((await klog(['topic', 'create', 'big', '-p', '2'], options)).code).toBe(0);
  });

  it('import: nothing is seen of it, and the second run makes all of it', async () => {
    await klog(['topic', 'create', 'big', '-p', '200', '-c', 'retention.ms=-1'], options);
    await klog(['produce', 'big'], { ...options, input: 'a\nb\nc\n' });
    await klog(['export', '-o', 'all.klog'], options);
    const into = ['-d', 'copy'];
    const wasKilled = await killMidway([...into, 'import', 'all.klog'], () => partitions('big', 'copy').length > 50);
    expect(wasKilled).toBe(true);
    expect((await klog([...into, 'topic', 'list'], options)).out).toBe('');
    expect((await klog([...into, 'consume', 'big'], options)).code).toBe(4);
    const again = await klog([...into, 'import', 'all.klog'], options);
    expect(again.code).toBe(0);
    expect((await klog([...into, 'consume', 'big'], options)).out).toBe('a\nb\nc\n');
    expect(logNames('copy').filter((name) => name.startsWith('big-'))).toHaveLength(200);
    expect(readdirSync(join(cwd, 'copy', 'topics')).sort()).toEqual(['.lock', 'big.json']);
  });

  it('export: the file that was there stays, and there is no half of one', async () => {
    writeFileSync(join(cwd, 'all.klog'), 'of yesterday');
    await klog(['produce', 't'], { ...options, input: 'x'.repeat(99).concat('\n').repeat(100_000) });
    const temporary = () => readdirSync(cwd).some((name) => name.startsWith('.klog-export.'));
    await killMidway(['export', '-o', 'all.klog'], temporary);
    expect((await klog(['-d', 'copy', 'import', 'all.klog'], options)).code).toBe(3);
    expect((await klog(['export', '-o', 'all.klog'], options)).code).toBe(0);
    expect((await klog(['-d', 'copy', 'import', 'all.klog'], options)).code).toBe(0);
    expect((await klog(['-d', 'copy', 'topic', 'offsets', 't'], options)).out).toBe('t\t0\t0\t100000\n');
  });
});

describe('export while producers run', () => {
  it('holds what was acknowledged before, no answer without its question, and a prefix of each partition', async () => {
    await klog(['topic', 'create', 'question', 'answer', 'noise'], options);
    await klog(['produce', 'question'], { ...options, input: 'before\n' });
    // Each answer is produced when its question has been consumed; another writes as fast as it can.
    const pipes = [
      `for i in $(seq 1 1000000); do echo q$i; sleep 0.002; done | node "$KLOG" produce question`,
      `node "$KLOG" consume question -F | node "$KLOG" produce answer --linger 0ms`,
      `yes | node "$KLOG" produce noise --batch-bytes 200`,
    ];
    const { KLOG } = await import('../support/klog-process.js');
    const { spawn } = await import('node:child_process');
    const env = { ...process.env, HOME: cwd, KLOG, KLOG_DIR: join(cwd, '.klog') };
    const running = pipes.map((pipe) => spawn('bash', ['-c', pipe], { cwd, env, stdio: 'ignore', detached: true }));
    try {
      for (let round = 1; round <= 3; round++) {
        await new Promise((resolve) => setTimeout(resolve, 400));
        const exported = await klog(['export', '-o', `${round}.klog`], options);
        expect(exported.err).not.toMatch(/klog: /);
        expect(exported.code).toBe(0);
      }
    } finally {
      for (const { pid } of running) process.kill(-pid!, 'SIGKILL');
    }
    let answered = 0;
    for (let round = 1; round <= 3; round++) {
      const into = ['-d', `copy${round}`];
      expect((await klog([...into, 'import', `${round}.klog`], options)).code).toBe(0);
      const lines = async (topic: string) =>
        (await klog([...into, 'consume', topic], options)).out.split('\n').slice(0, -1);
      const [questions, answers] = [await lines('question'), await lines('answer')];
      expect(questions[0]).toBe('before');
      expect(answers).toEqual(questions.slice(0, answers.length));
      answered = answers.length;
    }
    expect(answered).toBeGreaterThan(0);
  });
});
