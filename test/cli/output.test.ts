import { describe, expect, it } from 'vitest';
import { BlockOutput } from '../../src/cli/output.js';

const BLOCK_BYTES = 256 * 1024;

/** A sink that writes when told to. */
function parkedSink() {
  const written: Buffer[] = [];
  const parked: { bytes: Buffer; resolve: () => void; reject: (error: Error) => void }[] = [];
  return {
    written,
    parked,
    sink: {
      write: (bytes: Buffer) =>
        new Promise<void>((resolve, reject) => {
          parked.push({ bytes, resolve, reject });
        }),
    },
    async release(error?: NodeJS.ErrnoException) {
      const one = parked.shift();
      if (one === undefined) throw new Error('nothing is being written');
      if (error === undefined) {
        written.push(Buffer.from(one.bytes));
        one.resolve();
      } else {
        one.reject(error);
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const systemError = (code: string) => Object.assign(new Error(`${code}: it failed`), { code });

function immediateOutput() {
  const chunks: Buffer[] = [];
  const output = new BlockOutput({ write: async (bytes) => void chunks.push(Buffer.from(bytes)) });
  return { output, text: () => Buffer.concat(chunks), calls: () => chunks.length };
}

describe('BlockOutput', () => {
  it('writes whole blocks, in order, whatever the sizes', async () => {
    const { output, text, calls } = immediateOutput();
    const expected: Buffer[] = [];
    let random = 7;
    for (let i = 0; i < 2_000; i++) {
      random = (random * 48_271) % 2_147_483_647;
      const bytes = Buffer.alloc(random % 3_000, i);
      expected.push(bytes);
      if (!output.append(bytes, 0, bytes.length)) await output.drain();
    }
    await output.flush();
    const total = Buffer.concat(expected);
    expect(text().equals(total)).toBe(true);
    expect(calls()).toBe(Math.ceil(total.length / BLOCK_BYTES));
  });

  it('takes ranges, texts, and bytes written straight into the block', async () => {
    const { output, text } = immediateOutput();
    output.append(Buffer.from('xxabcxx'), 2, 5);
    output.appendText('é\n');
    output.reserve(3);
    output.position += output.block.write('end', output.position);
    await output.flush();
    expect(text().toString()).toBe('abcé\nend');
  });

  it('takes a text and a value larger than a block', async () => {
    const { output, text } = immediateOutput();
    const large = 'ä'.repeat(BLOCK_BYTES);
    output.appendText(large);
    const bytes = Buffer.alloc(5 * BLOCK_BYTES + 1, 'b');
    output.append(bytes, 0, bytes.length);
    await output.flush();
    expect(text().equals(Buffer.concat([Buffer.from(large), bytes]))).toBe(true);
  });

  it('asks the caller to wait while three blocks are unwritten, and no longer', async () => {
    const { sink, parked, release } = parkedSink();
    const output = new BlockOutput(sink);
    const block = Buffer.alloc(BLOCK_BYTES);
    const answers = [1, 2, 3, 4].map(() => output.append(block, 0, block.length));
    expect(answers).toEqual([true, true, true, false]);
    let isDrained = false;
    const drained = output.drain().then(() => {
      isDrained = true;
    });
    expect(parked).toHaveLength(1);
    await release();
    await drained;
    expect(isDrained).toBe(true);
  });

  it('sends each record at once when immediate, and gathers those that come while it writes', async () => {
    const { sink, parked, release, written } = parkedSink();
    const output = new BlockOutput(sink);
    output.isImmediate = true;
    for (const text of ['a\n', 'b\n', 'c\n']) {
      output.appendText(text);
      output.endRecord();
    }
    expect(parked.map(({ bytes }) => bytes.toString())).toEqual(['a\n']);
    await release();
    expect(parked.map(({ bytes }) => bytes.toString())).toEqual(['b\nc\n']);
    await release();
    expect(Buffer.concat(written).toString()).toBe('a\nb\nc\n');
  });

  it('is quiet when the reader goes away', async () => {
    const { sink, release } = parkedSink();
    const output = new BlockOutput(sink);
    output.appendText('a');
    const flushed = output.flush();
    await release(systemError('EPIPE'));
    await flushed;
    expect(output.isClosed).toBe(true);
    expect(output.endRecord()).toBe(false);
    output.appendText('b'.repeat(BLOCK_BYTES * 5));
    await output.drain();
    await output.flush();
  });

  it('fails with KLOG_OUTPUT_FAILED at any other error, from then on', async () => {
    const { sink, release } = parkedSink();
    const output = new BlockOutput(sink);
    output.appendText('a');
    const flushed = output.flush();
    await Promise.all([
      expect(flushed).rejects.toMatchObject({
        code: 'KLOG_OUTPUT_FAILED',
        message: 'writing standard output: it failed',
      }),
      release(systemError('ENOSPC')),
    ]);
    await expect(output.drain()).rejects.toMatchObject({ code: 'KLOG_OUTPUT_FAILED' });
  });

  it('gives up on a reader that takes nothing, once told to', async () => {
    const { sink, parked } = parkedSink();
    const output = new BlockOutput(sink);
    output.appendText('a');
    const flushed = output.flush();
    output.abandonWhenStuck(10);
    await flushed;
    expect(output.isClosed).toBe(true);
    expect(parked).toHaveLength(1);
  });
});
