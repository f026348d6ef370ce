import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createWriteStream, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { openAgain } from '../../src/cli/descriptor.js';
import { readNonBlocking } from '../../src/cli/pipe-input.js';
import { numbered, type Pipe, pour, withPipe } from './support/pipes.js';

const MIB = 1024 * 1024;
/** It comes faster than the thread starts: most of it is left for the thread. */
const CONTENT = numbered(96 * MIB + 12_345);

const threads = process.getBuiltinModule('node:worker_threads');
const RealWorker = threads.Worker;

interface Watched {
  /** How many threads were started. */
  started(): number;
  /** Resolves when the thread has read something. */
  hasRead(): Promise<void>;
}

/** Whether there is a thread, and what it does; `text`: what it runs instead. */
async function watched(work: (thread: Watched) => Promise<void>, text?: string): Promise<void> {
  const started: Worker[] = [];
  const spy = vi.spyOn(threads, 'Worker').mockImplementation(function start(own, options) {
    const worker = new RealWorker(text ?? own, options);
    started.push(worker);
    return worker;
  } as (...args: ConstructorParameters<typeof Worker>) => Worker);
  const hasRead = async () => {
    for (;;) {
      const [{ kind }] = await once(started[0]!, 'message');
      if (kind === 'filled') return;
    }
  };
  try {
    await work({ started: () => started.length, hasRead });
  } finally {
    spy.mockRestore();
  }
}

/** As an input reads it, but however slow this machine is, a thread is started for what comes. */
function chunksOf({ fd }: Pipe, signal?: AbortSignal, fastMs = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
  const own = openAgain(fd, 'read')!;
  closeSync(fd);
  return readNonBlocking(own, signal, fastMs);
}

/** All of it, though the chunks' memory is used again. */
async function readAll(chunks: AsyncIterable<Uint8Array>, between: (bytes: number) => Promise<void> | void = () => {}) {
  const copies: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    bytes += copy.length;
    await between(bytes);
    // It has stood still while more was read ahead.
    if (!copy.equals(chunk)) throw new Error(`the chunk before byte ${bytes} has changed`);
    copies.push(copy);
  }
  return Buffer.concat(copies);
}

/** Waits, once, until the thread reads. */
function untilItReads(thread: Watched): () => Promise<void> | void {
  let isReading = false;
  return () => {
    if (isReading || thread.started() === 0) return;
    isReading = true;
    return thread.hasRead();
  };
}

describe.skipIf(process.platform !== 'linux')('a pipe that brings much', () => {
  it.each([
    ['is read by a thread', () => {}],
    ['is read by a thread, which waits for whoever works on it', (bytes: number) => delay(bytes % 3)],
  ])('%s, in order, to its end', (_, between) =>
    withPipe((pipe) =>
      watched(async (thread) => {
        pour(pipe, CONTENT);
        const first = untilItReads(thread);
        const read = await readAll(chunksOf(pipe), async (bytes) => {
          await first();
          await between(bytes);
        });
        expect(thread.started()).toBe(1);
        expect(read.length).toBe(CONTENT.length);
        expect(read.equals(CONTENT)).toBe(true);
      }),
    ),
  );

  it('hands out what it has read when the signal aborts, and leaves the rest to others', () =>
    withPipe((pipe) =>
      watched(async (thread) => {
        pour(pipe, CONTENT);
        const rest = openSync(pipe.path, 'r');
        const controller = new AbortController();
        const first = untilItReads(thread);
        const read = await readAll(chunksOf(pipe, controller.signal), async (bytes) => {
          await first();
          if (thread.started() > 0 && bytes > 24 * MIB) controller.abort();
        });
        expect(read.length).toBeLessThan(48 * MIB);
        expect(read.equals(CONTENT.subarray(0, read.length))).toBe(true);
        const next = Buffer.alloc(4096);
        readSync(rest, next);
        closeSync(rest);
        expect(next.equals(CONTENT.subarray(read.length, read.length + 4096))).toBe(true);
      }),
    ));

  it.each([
    ['while its thread starts', async () => {}],
    ['while its thread reads', (thread: Watched) => thread.hasRead()],
  ])('is closed by all when the loop is left %s', (_, before) =>
    withPipe((pipe) =>
      watched(async (thread) => {
        await once(pour(pipe, CONTENT), 'open');
        // Its writer is not to notice.
        const rest = openSync(pipe.path, 'r');
        const others = descriptorsOf(pipe) - 1;
        for await (const _ of chunksOf(pipe)) {
          if (thread.started() === 0) continue;
          await before(thread);
          break;
        }
        // A socket closes when the event loop turns.
        await delay(2);
        expect(descriptorsOf(pipe)).toBe(others);
        closeSync(rest);
      }),
    ),
  );

  it('slowly gets no thread', () =>
    withPipe((pipe) =>
      watched(async (thread) => {
        const stream = createWriteStream(pipe.path, { highWaterMark: 1 });
        stream.on('open', pipe.end);
        const content = numbered(6 * MIB);
        const write = async () => {
          for (let at = 0; at < content.length; at += MIB / 8) {
            stream.write(content.subarray(at, at + MIB / 8));
            await delay(4);
          }
          stream.end();
        };
        const [read] = await Promise.all([readAll(chunksOf(pipe, undefined, 30)), write()]);
        expect(read.equals(content)).toBe(true);
        expect(thread.started()).toBe(0);
      }),
    ));

  it('is read all the same where no thread can start', () =>
    withPipe((pipe) =>
      watched(async (thread) => {
        pour(pipe, CONTENT);
        const read = await readAll(chunksOf(pipe));
        expect(thread.started()).toBe(1);
        expect(read.equals(CONTENT)).toBe(true);
      }, 'throw new Error("no thread")'),
    ));

  it('is read all the same where no more threads are allowed', () =>
    withPipe(async (pipe) => {
      const spy = vi.spyOn(threads, 'Worker').mockImplementation(function refuse() {
        throw new Error('ERR_WORKER_INIT_FAILED');
      } as () => Worker);
      try {
        pour(pipe, CONTENT);
        const read = await readAll(chunksOf(pipe));
        expect(spy).toHaveBeenCalled();
        expect(read.equals(CONTENT)).toBe(true);
      } finally {
        spy.mockRestore();
      }
    }));

  it('ends where its last writer had left before the thread opened it', () =>
    withPipe((pipe) =>
      watched(async (thread) => {
        const own = openSync(pipe.path, 'w');
        const writer = spawn('head', ['-c', String(4 * MIB + 60_000), '/dev/zero'], {
          stdio: ['ignore', own, 'ignore'],
        });
        closeSync(own);
        pipe.end();
        const left = once(writer, 'exit');
        // The pipe is full from now on, so that nobody waits by events, which would notice in time.
        await delay(50);
        let bytes = 0;
        for await (const chunk of chunksOf(pipe)) {
          bytes += chunk.length;
          if (thread.started() > 0) {
            // It is ready while this is worked on.
            await delay(100);
          } else if (bytes >= 4 * MIB) {
            await left;
          } else {
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
          }
        }
        expect(bytes).toBe(4 * MIB + 60_000);
      }),
    ));

  it.each([
    [
      'reading fails in it',
      `parentPort.postMessage({ kind: 'over', failure: { code: 'EIO', message: 'EIO: i/o error, read' } });
       parentPort.close();`,
      { code: 'EIO', message: 'EIO: i/o error, read' },
    ],
    ['it fails', "throw new Error('out of memory');", { message: 'out of memory' }],
    ['it ends without a word', 'process.exit();', { message: 'the thread that read it has ended' }],
  ])('says why where %s', (_, does, failure) => {
    const text = `const { parentPort } = require('node:worker_threads');
      parentPort.once('message', () => { ${does} });
      parentPort.postMessage({ kind: 'ready' });`;
    return withPipe((pipe) =>
      watched(async () => {
        pour(pipe, CONTENT);
        await expect(readAll(chunksOf(pipe))).rejects.toMatchObject(failure);
      }, text),
    );
  });
});

function descriptorsOf({ path }: Pipe): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      // That of the look itself.
      return false;
    }
  }).length;
}
