import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DescriptorInput, openInputFile, withPrompt } from '../../src/cli/input.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Buffer[] = [];
  // Chunks are valid until the next one only.
  for await (const chunk of chunks) copies.push(Buffer.from(chunk));
  return Buffer.concat(copies);
}

const noStdin = { isTerminal: false, name: 'standard input', chunks: async function* () {} };

describe('a file', () => {
  it('is read whole, across the two buffers', () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'large');
      const content = Buffer.alloc(5 * 1024 * 1024 + 17);
      for (let i = 0; i < content.length; i++) content[i] = (i * 31) >> 7;
      writeFileSync(path, content);
      const input = await openInputFile(path, noStdin);
      expect((await readAll(input.chunks())).equals(content)).toBe(true);
    }));

  it('is read on from where its descriptor stands', () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'lines');
      writeFileSync(path, 'first\nsecond\n');
      const fd = openSync(path, 'r');
      readSync(fd, Buffer.alloc(6), 0, 6, null);
      expect((await readAll(new DescriptorInput(fd, 'it').chunks())).toString()).toBe('second\n');
    }));

  it('may be empty, or a device', async () => {
    expect(await readAll((await openInputFile('/dev/null', noStdin)).chunks())).toHaveLength(0);
  });

  it('fails with KLOG_INPUT_FAILED if it is missing, or a directory', () =>
    inTemporaryDirectory(async (directory) => {
      await expect(openInputFile(join(directory, 'no'), noStdin)).rejects.toMatchObject({ code: 'KLOG_INPUT_FAILED' });
      mkdirSync(join(directory, 'sub'));
      await expect(openInputFile(join(directory, 'sub'), noStdin)).rejects.toMatchObject({ code: 'KLOG_INPUT_FAILED' });
    }));

  it('is standard input where it is named -', async () => {
    expect(await openInputFile('-', noStdin)).toBe(noStdin);
  });

  it('ends when the signal aborts', () =>
    inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'large');
      writeFileSync(path, Buffer.alloc(4 * 1024 * 1024));
      const controller = new AbortController();
      let chunks = 0;
      for await (const _ of (await openInputFile(path, noStdin)).chunks(controller.signal)) {
        chunks += 1;
        controller.abort();
      }
      expect(chunks).toBe(1);
    }));
});

describe('a pipe', () => {
  /** The reading end of a pipe that a shell command writes to. */
  function pipeFrom(directory: string, script: string) {
    const path = join(directory, 'pipe');
    const child = spawn('sh', ['-c', `mkfifo "$0" && exec >"$0" && ${script}`, path], { stdio: 'ignore' });
    const opened = new Promise<number>((resolve) => {
      const attempt = () => {
        try {
          resolve(openSync(path, 'r'));
        } catch {
          setTimeout(attempt, 5);
        }
      };
      attempt();
    });
    return { opened, child };
  }

  it('is read to its end, however slowly it is written', () =>
    inTemporaryDirectory(async (directory) => {
      const { opened } = pipeFrom(directory, 'printf a; sleep 0.05; printf b; head -c 300000 /dev/zero');
      const bytes = await readAll(new DescriptorInput(await opened, 'it').chunks());
      expect(bytes.length).toBe(300_002);
      expect(bytes.toString('latin1', 0, 2)).toBe('ab');
    }));

  it.each([
    ['nothing', ':', 0],
    ['a line', 'printf abc', 3],
    ['as much as a pipe holds', 'head -c 65536 /dev/zero', 65_536],
    ['a byte more', 'head -c 65537 /dev/zero', 65_537],
  ])('that is closed already may hold %s', (_, script, length) =>
    inTemporaryDirectory(async (directory) => {
      const { opened, child } = pipeFrom(directory, script);
      const fd = await opened;
      if (length <= 65_536 && child.exitCode === null) await once(child, 'exit');
      expect(await readAll(new DescriptorInput(fd, 'it').chunks())).toHaveLength(length);
    }),
  );

  it('is closed when the loop is left, so that its writer hears of it', () =>
    inTemporaryDirectory(async (directory) => {
      const { opened, child } = pipeFrom(directory, 'exec cat /dev/zero');
      for await (const _ of new DescriptorInput(await opened, 'it').chunks()) break;
      if (child.signalCode === null) await once(child, 'exit');
      expect(child.signalCode).toBe('SIGPIPE');
    }));

  it('ends at once when the signal aborts, though nobody writes', () =>
    inTemporaryDirectory(async (directory) => {
      const { opened, child } = pipeFrom(directory, 'printf a; exec sleep 60');
      const controller = new AbortController();
      const input = new DescriptorInput(await opened, 'it');
      const texts: string[] = [];
      let abortedAt = 0;
      for await (const chunk of input.chunks(controller.signal)) {
        texts.push(Buffer.from(chunk).toString());
        setTimeout(() => {
          abortedAt = performance.now();
          controller.abort();
        }, 20);
      }
      expect(texts).toEqual(['a']);
      expect(performance.now() - abortedAt).toBeLessThan(30_000);
      child.kill();
    }));
});

describe('withPrompt', () => {
  it('prompts before each line, not in the middle of one', async () => {
    let prompts = 0;
    async function* typed() {
      yield Buffer.from('a\n');
      yield Buffer.from('b');
      yield Buffer.from('c\n');
    }
    await readAll(
      withPrompt(typed(), () => {
        prompts += 1;
      }),
    );
    expect(prompts).toBe(3);
  });
});
