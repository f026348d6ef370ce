/** Inputs long enough that lines are taken many at a time, cut into chunks anywhere. */
import { describe, expect, it } from 'vitest';
import { partitionForKey } from '../../../src/format/murmur2.js';
import { type RealLog, withLog } from '../support/real-log.js';

/** Long and short ones, empty ones, one longer than all that is read at a time. */
const LINES = Array.from({ length: 30_000 }, (_, i) => {
  if (i % 1000 === 7) return '';
  if (i === 20_000) return `k${i}=${'long '.repeat(100_000)}`;
  return `k${i % 97}=${i}${'.'.repeat((i * 31) % 150)}`;
});

function chunksOf(text: string, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const chunks: Buffer[] = [];
  let start = 0;
  for (let i = 0; start < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    chunks.push(Buffer.from(bytes.subarray(start, start + size)));
    start += size;
  }
  return chunks;
}

const SIZES = [70_001, 1024 * 1024, 9000, 333_333];

async function printed(log: RealLog, line: string): Promise<string[]> {
  return (await log.run(line)).out.split('\n').slice(0, -1);
}

describe('klog produce: many lines at a time', () => {
  it('keeps each line, in order', () =>
    withLog(async (log) => {
      await log.run('produce t', { stdin: chunksOf(LINES.join('\n'), SIZES) });
      expect(await printed(log, 'consume t')).toEqual(LINES);
    }));

  it('keeps lines in batches of any size, and compressed', () =>
    withLog(async (log) => {
      await log.run('produce t -z lz4 --batch-bytes 5000', { stdin: chunksOf(LINES.join('\n'), SIZES) });
      expect(await printed(log, 'consume t')).toEqual(LINES);
    }));

  it('sends each key where it belongs, and a line without one where keyless records go', () =>
    withLog(async (log) => {
      await log.createTopic('t', 7);
      await log.run('produce t -K = --key-optional', { stdin: chunksOf(LINES.join('\n'), SIZES) });
      const keyed = LINES.filter((line) => line.includes('='));
      for (let partition = 0; partition < 7; partition++) {
        const here = (await printed(log, `consume t -p ${partition} -K =`)).filter((line) => line !== '=');
        const belongs = (line: string) => {
          const key = Buffer.from(line.slice(0, line.indexOf('=')));
          return partitionForKey(key, 0, key.length, 7) === partition;
        };
        expect(here).toEqual(keyed.filter(belongs));
      }
      expect((await printed(log, 'consume t')).length).toBe(LINES.length);
    }));

  it('names the line and byte of the first that has no separator, and keeps those before it', () =>
    withLog(async (log) => {
      await log.createTopic('t', 3);
      const good = LINES.filter((line) => line !== '');
      const text = `${good.join('\n')}\nbad\n${good.join('\n')}`;
      const { code, err } = await log.run('produce t -K =', { stdin: chunksOf(text, SIZES) });
      const byte = Buffer.byteLength(`${good.join('\n')}\n`);
      expect(code).toBe(3);
      expect(err).toContain(`line ${good.length + 1}, byte ${byte}: no separator '='`);
      expect((await printed(log, 'consume t')).length).toBe(good.length);
    }));
});
