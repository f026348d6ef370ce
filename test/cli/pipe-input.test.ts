import { once } from 'node:events';
import { createWriteStream, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { DescriptorInput, openInputFile } from '../../src/cli/input.js';
import { readNonBlocking } from '../../src/cli/pipe-input.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';
import { numbered, pour, withPipe } from './support/pipes.js';

const BLOCK_BYTES = 512 * 1024;
const MOST_READ_AHEAD = 9 * BLOCK_BYTES;

async function readAll(input: DescriptorInput, between: (chunks: number) => Promise<void> | void = () => {}) {
  const copies: Buffer[] = [];
  const buffers = new Set<ArrayBufferLike>();
  for await (const chunk of input.chunks()) {
    const copy = Buffer.from(chunk);
    await between(copies.length);
    // It has stood still while more was read ahead.
    if (!copy.equals(chunk)) throw new Error(`chunk ${copies.length} has changed`);
    copies.push(copy);
    buffers.add(chunk.buffer);
  }
  // Memory is used again: one that is read into, one that is worked on, and what is read ahead.
  expect(buffers.size).toBeLessThanOrEqual(MOST_READ_AHEAD / BLOCK_BYTES + 1);
  return Buffer.concat(copies);
}

describe.skipIf(process.platform !== 'linux')('a pipe', () => {
  it('gives each line when it is written, and its end', () =>
    withPipe(async ({ fd, write, end }) => {
      const chunks = new DescriptorInput(fd, 'it').chunks()[Symbol.asyncIterator]();
      for (const line of ['a\n', 'b\n', 'c\n', 'd\n']) {
        // Waited for, and there already.
        const next = line === 'c\n' ? undefined : chunks.next();
        await delay(2);
        write(line);
        const { value } = await (next ?? chunks.next());
        expect(Buffer.from(value as Uint8Array).toString()).toBe(line);
      }
      const last = chunks.next();
      await delay(2);
      end();
      expect((await last).done).toBe(true);
    }));

  it.each([
    ['is read as fast as it is written', () => {}],
    ['is read ahead while each chunk is worked on', () => delay(1)],
    // The first two are of what was there before anybody waited.
    ['is read ahead until there is no more room', (chunks: number) => (chunks % 10 === 2 ? delay(60) : undefined)],
  ])('%s, in order', (_, between) =>
    withPipe(async (pipe) => {
      const content = numbered(MOST_READ_AHEAD * 2 + 12_345);
      pour(pipe, content);
      const read = await readAll(new DescriptorInput(pipe.fd, 'it'), between);
      expect(read.length).toBe(content.length);
      expect(read.equals(content)).toBe(true);
    }),
  );

  it('that ends while its reader is busy is still read to its end', () =>
    withPipe(async (pipe) => {
      const content = numbered(3 * BLOCK_BYTES);
      const written = once(pour(pipe, content), 'close');
      const read = await readAll(new DescriptorInput(pipe.fd, 'it'), async (chunks) => {
        // By now somebody has waited, so that it is read ahead.
        if (chunks === 3) await written;
      });
      expect(read.equals(content)).toBe(true);
    }));

  it('lets timers fire while there is always more', () =>
    withPipe(async (pipe) => {
      const stream = createWriteStream(pipe.path);
      const zeros = Buffer.alloc(BLOCK_BYTES);
      const pump = () => {
        while (stream.writable && stream.write(zeros));
      };
      stream.on('drain', pump).on('error', () => {});
      pump();
      const controller = new AbortController();
      let bytes = 0;
      for await (const chunk of new DescriptorInput(pipe.fd, 'it').chunks(controller.signal)) {
        if (bytes === 0) setTimeout(() => controller.abort(), 20);
        bytes += chunk.length;
      }
      expect(bytes).toBeGreaterThan(0);
      pipe.end();
      stream.destroy();
    }));

  it('hands out what it has read ahead when the signal aborts, and reads no more', () =>
    withPipe(async ({ fd, write, end }) => {
      const controller = new AbortController();
      const turns = async () => {
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      };
      write('a');
      const texts: string[] = [];
      for await (const chunk of new DescriptorInput(fd, 'it').chunks(controller.signal)) {
        texts.push(Buffer.from(chunk).toString());
        if (texts.length === 2) {
          // Somebody has waited by now, so the event loop reads ahead.
          write('ahead');
          await turns();
          controller.abort();
          write('behind');
          await turns();
        } else if (texts.length === 1) setTimeout(() => write('b'), 5);
      }
      expect(texts).toEqual(['a', 'b', 'ahead']);
      end();
    }));

  it('is given to others as it was: who shares its descriptor may wait in a read', () =>
    withPipe(async ({ fd, write }) => {
      const flags = () => readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').match(/flags:\t(\d+)/)?.[1];
      const before = flags();
      const chunks = new DescriptorInput(fd, 'it').chunks()[Symbol.asyncIterator]();
      const next = chunks.next();
      await delay(2);
      write('x');
      await next;
      expect(flags()).toBe(before);
      await chunks.return?.();
    }));

  it.each([
    ['before anything was waited for', false],
    ['after', true],
  ])('leaves no descriptor behind: left %s', (_, waits) =>
    withPipe(async ({ path, write, end }) => {
      const open = () => readdirSync('/proc/self/fd').length;
      const before = open();
      const input = await openInputFile(path, new DescriptorInput(openSync('/dev/null', 'r'), 'none'));
      if (!waits) write('x');
      else setTimeout(() => write('x'), 2);
      for await (const _ of input.chunks()) break;
      // A socket closes when the event loop turns.
      await delay(2);
      // The other one is that of /dev/null.
      expect(open()).toBe(before + 1);
      end();
    }),
  );

  it('fails where reading fails, and closes its descriptor', () =>
    inTemporaryDirectory(async (directory) => {
      const fd = openSync(directory, 'r');
      await expect(readNonBlocking(fd, undefined).next()).rejects.toMatchObject({ code: 'EISDIR' });
      expect(() => fstatSync(fd)).toThrow('EBADF');
    }));
});
