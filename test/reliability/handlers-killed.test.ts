import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { klog, startKlog } from '../support/klog-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const KEYS = 18;
const RECORDS = 180;
const KILLS = 4;
const MEMBERS = 3;
const IN_FLIGHT = 3;

/** One append a record: whole lines, whoever writes beside it. */
const COMMAND = 'read n; echo "$KLOG_RECORD_KEY $n" >> done; sleep 0.01';

it('members are killed in turn: every record is handled, each key in its order, and little of it twice', async () => {
  const cwd = temporaryDirectory();
  const options = { cwd, env: { HOME: cwd } };
  const members: ChildProcess[] = [];
  onTestFinished(() => {
    for (const member of members) member.kill('SIGKILL');
  });
  const start = () => {
    const words = ['consume', 'work', '-q', '-F', '-g', 'g', '--max-in-flight', String(IN_FLIGHT), '--exec', COMMAND];
    members.push(startKlog(words, options, { stdio: 'ignore' }));
  };
  const done = () => (existsSync(join(cwd, 'done')) ? readFileSync(join(cwd, 'done'), 'utf8').trim().split('\n') : []);
  const untilDone = (count: number) =>
    expect.poll(() => new Set(done()).size, { timeout: 60_000 }).toBeGreaterThanOrEqual(count);

  await klog(['topic', 'create', 'work', '-p', '6'], options);
  for (let i = 0; i < MEMBERS; i++) start();
  const lines = Array.from({ length: RECORDS }, (_, i) => `k${i % KEYS}:${i}\n`);
  await klog(['produce', 'work', '-K', ':'], { ...options, input: lines.join('') });
  for (let i = 0; i < KILLS; i++) {
    await untilDone(((i + 1) * RECORDS) / (KILLS + 2));
    members[i]!.kill('SIGKILL');
    start();
  }
  await untilDone(RECORDS);
  const living = members.slice(KILLS);
  const ends = living.map((member) => new Promise((resolve) => member.on('exit', (code) => resolve(code))));
  for (const member of living) member.kill('SIGINT');
  expect(await Promise.all(ends)).toEqual(living.map(() => 130));

  const handled = done();
  const first = [...new Set(handled)];
  expect(first.length).toBe(RECORDS);
  for (let key = 0; key < KEYS; key++) {
    const numbers = first.filter((line) => line.startsWith(`k${key} `)).map((line) => Number(line.split(' ')[1]));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  }
  // What was in the hands of those that were killed, and what lay done behind it: a commit leaves no gap.
  expect(handled.length).toBeLessThanOrEqual(RECORDS + KILLS * IN_FLIGHT * 4);
  // What was in the hands of the others when they were stopped may come now.
  const { out } = await klog(['consume', 'work', '-g', 'g'], options);
  expect(out.split('\n').length - 1).toBeLessThanOrEqual(MEMBERS * IN_FLIGHT * 4);
}, 120_000);
