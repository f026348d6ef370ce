import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { KLOG, plainEnvironment } from '../support/klog-process.js';
import { sharedDirectory } from '../support/temporary-directory.js';

/**
 * What passing data through costs, in counts: they are the same on a machine that does other things too, where times
 * are not. Each is the difference between a large and a small amount, so that starts are not in it. Limits are less
 * than half as much again as what was counted: what makes it half as much again fails.
 */
const SMALL = 50_000;
const LARGE = 250_000;
const RECORDS = LARGE - SMALL;
const MEGABYTES = (RECORDS * 105) / 1e6;
const LINE = `${'a line of a hundred bytes and four'.padEnd(104, '.')}\n`;

const HAS_STRACE = spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0;

/** What varies only adds, such as a pipe that is half full, or what V8 compiles: the least of a few runs counts. */
const MOST_RUNS = 4;

/** How much more `count` finds for the large amount than for the small one, divided by `unit`. */
function perUnit(count: (records: number) => number, unit: number, limit: number): number {
  let [small, large] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let run = 0; run < MOST_RUNS; run++) {
    small = Math.min(small, count(SMALL));
    large = Math.min(large, count(LARGE));
    if ((large - small) / unit < limit) break;
  }
  return (large - small) / unit;
}

const cwd = sharedDirectory();

beforeAll(() => {
  writeFileSync(join(cwd, 'recorder.cjs'), RECORDER);
  for (const count of [SMALL, LARGE]) {
    writeFileSync(join(cwd, `${count}.txt`), LINE.repeat(count));
    shell(`"$0" "${KLOG}" produce -q stored-${count} < ${count}.txt`);
  }
});

function shell(script: string): void {
  const env = plainEnvironment({ HOME: cwd, CWD: cwd });
  const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', script, process.execPath], { cwd, env });
  expect(status, `${script}\n${stderr.toString()}`).toBe(0);
}

type CommandLine = (count: number) => { readonly before?: string; readonly words: string; readonly behind: string };

let topics = 0;
const produce: CommandLine = (count) => ({ words: `produce -q new-${topics++}`, behind: `< ${count}.txt` });
const produceFromPipe: CommandLine = (count) => ({
  before: `cat ${count}.txt |`,
  words: `produce -q new-${topics++}`,
  behind: '',
});
const consume: CommandLine = (count) => ({ words: `consume stored-${count}`, behind: '> /dev/null' });
const consumeIntoPipe: CommandLine = (count) => ({ words: `consume stored-${count}`, behind: '| cat > /dev/null' });
const consumeByFormat: CommandLine = (count) => ({
  words: `consume stored-${count} -f '%k %v\\n'`,
  behind: '> /dev/null',
});
const consumeJson: CommandLine = (count) => ({ words: `consume stored-${count} -J`, behind: '> /dev/null' });

/** Calls that move data, open, lock or sync. */
const CALLS =
  'read,pread64,readv,write,pwrite64,writev,pwritev,fcntl,ftruncate,fdatasync,fsync,openat,close,fstat,statx';

function callsOf(line: CommandLine, count: number): number {
  const { before = '', words, behind } = line(count);
  shell(`${before} strace -f -qq -y -s 0 -o calls -e trace=${CALLS} "$0" "${KLOG}" ${words} ${behind}`);
  const calls = readFileSync(join(cwd, 'calls'), 'latin1').match(/^\d+ +\w+\(.*$/gm) ?? [];
  // How threads wake each other varies; and so does how often an empty pipe is asked for more.
  return calls.filter((call) => !/eventfd|EAGAIN/.test(call)).length;
}

describe.skipIf(!HAS_STRACE)('calls of the system for a megabyte', () => {
  it.each([
    { title: 'produce from a file', line: produce, limit: 13.5 },
    // 16 reads of 64 KiB; the rest is an append and a sync for each batch, since a pipe is slower than the disk.
    { title: 'produce from a pipe', line: produceFromPipe, limit: 38 },
    { title: 'consume to /dev/null', line: consume, limit: 6.5 },
    { title: 'consume into a pipe', line: consumeIntoPipe, limit: 22 },
  ])('$title: below $limit', ({ line, limit }) => {
    const perMegabyte = perUnit((records) => callsOf(line, records), MEGABYTES, limit);
    expect(perMegabyte).toBeGreaterThan(1);
    expect(perMegabyte).toBeLessThan(limit);
  });
});

describe.skipIf(!HAS_STRACE)('calls of the system for things', () => {
  const FEW = 20;
  const MANY = 120;

  it('topic list, for a topic: open, read to the end, close', () => {
    for (const count of [FEW, MANY]) {
      shell(`"$0" "${KLOG}" topic create -q -d topics-${count} $(seq -f t%g ${count}) > /dev/null`);
    }
    const list = (count: number) => ({ words: `topic list -d topics-${count}`, behind: '> /dev/null' });
    const perTopic = (callsOf(list, MANY) - callsOf(list, FEW)) / (MANY - FEW);
    expect(perTopic).toBeGreaterThan(2);
    expect(perTopic).toBeLessThan(6);
  });

  it('topic create, for a topic, however many there are', () => {
    const create = (count: number) => ({
      words: `topic create -q -d made-${count} $(seq -f t%g ${count})`,
      behind: '> /dev/null',
    });
    const [few, some, many] = [FEW, 2 * FEW, MANY].map((count) => callsOf(create, count)) as [number, number, number];
    const perTopic = (some - few) / FEW;
    expect((many - some) / (MANY - 2 * FEW)).toBeLessThan(1.2 * perTopic);
    expect(perTopic).toBeLessThan(80);
  });

  it('produce of one record, its start among them', () => {
    shell(`"$0" "${KLOG}" topic create -q one`);
    const before = callsOf(() => ({ words: '--version', behind: '> /dev/null' }), 0);
    const one = callsOf(() => ({ words: 'produce one --value x', behind: '' }), 0);
    expect(one - before).toBeLessThan(150);
  });
});

/**
 * What V8's heap was given in the whole life of a process: how much more there was before each garbage collection than
 * after the one before.
 */
const RECORDER = `
const { writeFileSync } = require('node:fs');
const { GCProfiler } = require('node:v8');
const used = () => process.memoryUsage().heapUsed;
const profiler = new GCProfiler();
profiler.start();
let last = used();
process.on('exit', () => {
  const end = used();
  let bytes = 0;
  for (const { beforeGC, afterGC } of profiler.stop().statistics) {
    bytes += beforeGC.heapStatistics.usedHeapSize - last;
    last = afterGC.heapStatistics.usedHeapSize;
  }
  writeFileSync(process.env.CWD + '/allocated', String(bytes + end - last));
});`;

function allocatedBy(line: CommandLine, count: number): number {
  const { before = '', words, behind } = line(count);
  return allocatedIn(`${before} "$0" --require ./recorder.cjs "${KLOG}" ${words} ${behind}`);
}

function allocatedIn(script: string): number {
  shell(script);
  return Number(readFileSync(join(cwd, 'allocated'), 'utf8'));
}

/** An application that has a thousand records under way, and asks what became of the last of each thousand. */
const SENDER = `
import { openClient } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href)};
const [way, count] = process.argv.slice(2);
const client = await openClient({ directory: 'sent', create: true });
const producer = client.producer({ createTopics: true });
const record = { topic: 'sent', value: Buffer.alloc(100, 'v') };
const thousand = Array.from({ length: 1000 }, () => record);
const ways = {
  send: () => {
    for (let i = 1; i < 1000; i++) void producer.send(record);
    return producer.send(record);
  },
  sendAll: () => producer.sendAll(thousand),
};
for (let sent = 0; sent < Number(count); sent += 1000) await ways[way]();
await client.close();
`;

describe('bytes allocated for a record', () => {
  it.each([
    { title: 'produce', line: produce, limit: 30 },
    // Nothing: a single small object for each record would be 16 and more.
    { title: 'consume', line: consume, limit: 12 },
    // The view of the value, a hundred bytes, by which it is copied.
    { title: 'consume -f', line: consumeByFormat, limit: 135 },
    { title: 'consume -J', line: consumeJson, limit: 30 },
  ])('$title: below $limit', ({ line, limit }) => {
    expect(perUnit((records) => allocatedBy(line, records), RECORDS, limit)).toBeLessThan(limit);
  });

  it.each([
    // A promise and what it waits for, and the answer: 320. With functions of its own each promise made it 620.
    { way: 'send', limit: 450 },
    { way: 'sendAll', limit: 290 },
  ])('the library, $way: below $limit', ({ way, limit }) => {
    writeFileSync(join(cwd, 'sender.mjs'), SENDER);
    const allocated = (records: number) =>
      allocatedIn(`"$0" --require ./recorder.cjs sender.mjs ${way} ${records}; rm -r sent`);
    expect(perUnit(allocated, RECORDS, limit)).toBeLessThan(limit);
  });
});
