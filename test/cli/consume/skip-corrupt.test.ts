import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withLog } from '../support/real-log.js';

const BATCHES = 20;

/** Where a byte is changed, from the beginning of its batch. */
const PLACES: readonly (readonly [string, number])[] = [
  ['the base offset', 7],
  ['the base offset, by much', 5],
  ['the length', 11],
  ['the magic', 16],
  ['the checksum', 18],
  ['the last offset delta', 26],
  ['a value', 70],
];

describe('one bad byte costs one batch', () => {
  it.each(PLACES)('%s', async (_name, at) => {
    await withLog(async (log) => {
      await log.createTopic('t');
      await log.produce(Array.from({ length: BATCHES }, (_, i) => ({ topic: 't', value: `value ${i}`, timestamp: i })));
      const file = join(log.directory, 'log', 't-0', '00000000000000000000.log');
      const good = readFileSync(file);
      for (let batch = 0, position = 0; batch < BATCHES; batch++) {
        const bytes = Buffer.from(good);
        bytes.writeUInt8(bytes[position + at]! ^ 0x10, position + at);
        writeFileSync(file, bytes);
        const lines = Array.from({ length: BATCHES }, (_, i) => `${i} value ${i}\n`);
        const refused = await log.run(['consume', 't', '-f', '%o %v\\n']);
        expect(refused.code, `batch ${batch}`).toBe(7);
        expect(refused.out, `batch ${batch}`).toBe(lines.slice(0, batch).join(''));
        expect(refused.err).toContain('00000000000000000000.log');
        expect(refused.err).toContain(`position ${position}`);
        expect(refused.err).toContain(`offset ${batch}`);
        const skipped = await log.run(['consume', 't', '-f', '%o %v\\n', '--skip-corrupt']);
        expect(skipped.code, `batch ${batch}`).toBe(0);
        expect(skipped.out, `batch ${batch}`).toBe(lines.filter((_, i) => i !== batch).join(''));
        const tail = await log.run(['tail', 't', '-n', `${BATCHES}`, '--format', '%o %v\\n', '--skip-corrupt']);
        expect(tail, `batch ${batch}`).toMatchObject({ code: 0, out: skipped.out, err: skipped.err });
        position += 12 + good.readInt32BE(position + 8);
      }
    });
  });
});
