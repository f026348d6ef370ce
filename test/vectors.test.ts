import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Line } from '../scripts/vectors/batch-lines.js';
import { compareLines, readLines } from '../scripts/vectors/batches.js';
import { runVectors } from '../scripts/vectors/run.js';
import type { Vector } from '../scripts/vectors/vector.js';
import { sharedDirectory } from './support/temporary-directory.js';

const FIXTURES = fileURLToPath(new URL('fixtures/kafka', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../scripts/vectors.ts', import.meta.url));

const { vectors } = JSON.parse(readFileSync(join(FIXTURES, 'vectors.json'), 'utf8')) as { vectors: Vector[] };

describe('the vectors in test/fixtures/kafka', () => {
  it('all match', async () => {
    const lines: string[] = [];
    const summary = await runVectors(FIXTURES, (line) => lines.push(line));
    expect(lines.filter((line) => line.startsWith('MISMATCH'))).toEqual([]);
    expect(summary).toEqual({ ok: vectors.length, mismatches: 0, pending: 0 });
    expect(lines).toHaveLength(vectors.length + 1);
  });

  it('are all the files there are', () => {
    const listed = new Set(vectors.flatMap(({ file, dir }) => [file, dir]));
    const files = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /^\w+\/[^/]+\.bin$|^values\//.test(file),
    );
    expect(files.filter((file) => !listed.has(file))).toEqual([]);
  });
});

describe('the runner', () => {
  const folder = sharedDirectory();
  mkdirSync(join(folder, 'values'));

  /** The one line printed for a vector made of these bytes and expected lines. */
  async function runOne(
    bytes: Uint8Array,
    expected: readonly unknown[],
    fields: Partial<Vector> = {},
  ): Promise<string> {
    writeFileSync(join(folder, 'x.bin'), bytes);
    writeFileSync(join(folder, 'x.jsonl'), expected.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return runListed({ file: 'x.bin', kind: 'batches', expected: 'x.jsonl', encoder: 'kafka', ...fields });
  }

  async function runListed(vector: object): Promise<string> {
    writeFileSync(join(folder, 'vectors.json'), JSON.stringify({ vectors: [vector] }));
    const lines: string[] = [];
    await runVectors(folder, (line) => lines.push(line));
    return lines[0]!;
  }

  async function fixture(name: string): Promise<{ bytes: Buffer; lines: Line[] }> {
    const bytes = readFileSync(join(FIXTURES, `${name}.bin`));
    return { bytes, lines: await readLines(join(FIXTURES, `${name}.jsonl`)) };
  }

  it('says what it compared', async () => {
    const { bytes, lines } = await fixture('batches/v2-single-minimal');
    expect(await runOne(bytes, lines)).toBe('ok        x.bin (3 lines; 1 batch encoded again to the same bytes)');
  });

  it('meets a change in any field of any line', async () => {
    const { bytes, lines } = await fixture('batches/v2-txn-commit-abort');
    for (const [i, line] of lines.entries()) {
      for (const field of Object.keys(line)) {
        const changed = lines.map((other, j) => (i === j ? { ...other, [field]: 'changed' } : other));
        expect(await runOne(bytes, changed)).toMatch(
          new RegExp(`^MISMATCH {2}x\\.bin: line ${i + 1}: ${field}.*: expected "changed", found`),
        );
      }
    }
  });

  it('meets a line too few, a line too many and an empty expectation', async () => {
    const { bytes, lines } = await fixture('batches/v2-single-minimal');
    expect(await runOne(bytes, lines.slice(0, -1))).toMatch(/^MISMATCH .* line 3: value: expected nothing/);
    expect(await runOne(bytes, [...lines, lines[1]])).toMatch(/^MISMATCH .* line 4: expected more lines/);
    expect(await runOne(bytes, [])).toMatch(/^MISMATCH/);
  });

  it('meets a batch that reads right but is not what the encoder makes', async () => {
    const { bytes, lines } = await fixture('batches/v2-single-minimal');
    // The record's length as a varint of two bytes, which readers accept; CRC and length redone by the reader's own
    // rules.
    const longer = Buffer.concat([bytes.subarray(0, 61), Buffer.from('8c00', 'hex'), bytes.subarray(62)]);
    longer.writeInt32BE(longer.length - 12, 8);
    const { crc32c } = await import('../src/format/crc32c.js');
    longer.writeUInt32BE(crc32c(longer, 21, longer.length), 17);
    const [batch, record] = lines;
    const expected = [
      { ...batch, sizeInBytes: 69, crc: longer.readUInt32BE(17) },
      record,
      { type: 'end', validBytes: 69, fileSize: 69, error: null },
    ];
    expect(await runOne(longer, expected)).toMatch(/^MISMATCH .* encoded again, has 68 bytes instead of 69/);
    // Only Kafka's encoder is to be equalled.
    expect(await runOne(longer, expected, { encoder: 'another' })).toBe('ok        x.bin (3 lines)');
  });

  it('meets a file that is not the one listed, and one that is missing', async () => {
    const { bytes, lines } = await fixture('batches/v2-single-minimal');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(await runOne(bytes, lines, { sha256 })).toMatch(/^ok/);
    expect(await runOne(bytes, lines, { sha256: '00' })).toMatch(/^MISMATCH .* sha256 is/);
    expect(await runListed({ file: 'none.bin', kind: 'batches' })).toMatch(/^MISMATCH .*ENOENT/);
  });

  it('lists what it has no code for as pending', async () => {
    expect(await runListed({ file: 'x.bin', kind: 'poems' })).toBe('pending   x.bin: kind "poems" is unknown');
    expect(await runListed({ file: 'values/poems.json', kind: 'values' })).toMatch(/^pending {3}values\/poems.json/);
  });

  it.each([
    ['crc', { vectors: [{ hex: '00', crc32c: 1, crc32: 1 }] }],
    ['murmur2', { vectors: [{ keyHex: '', hash: 275646681, partitionOf: { 7: 1 } }] }],
    ['varint', { zigzag: [{ value: '1', fitsInt32: true, hex: '04' }], unsigned32: [], invalid: [] }],
    ['varint', { zigzag: [], unsigned32: [], invalid: [{ hex: '04', readVarint: '2', readVarlong: { error: 'x' } }] }],
    ['topics-uuids', { names: [{ name: 'a', valid: false }], collisions: [], uuids: [] }],
    ['crc', { vectors: [] }],
    [
      'assignors',
      {
        vectors: [
          {
            assignor: 'range',
            topics: { t: 1 },
            members: [{ a: ['t'] }, { a: ['t'] }],
            first: { a: [['t', 0]] },
            second: { a: [] },
          },
        ],
      },
    ],
    ['coordinator-partition', { vectors: [{ groupId: 'g1', hashCode: 3242, partitionOf50: 43 }] }],
    ['coordinator-records', { vectors: [{ schema: 'Poem', version: 0, hex: '0000', fields: {} }] }],
    [
      'coordinator-records',
      { vectors: [{ schema: 'TransactionLogKey', version: 0, hex: '0000000161', fields: { transactionalId: 'b' } }] },
    ],
  ])('meets a wrong value in %s.json', async (name, content) => {
    writeFileSync(join(folder, `values/${name}.json`), JSON.stringify(content));
    expect(await runListed({ file: `values/${name}.json`, kind: 'values' })).toMatch(/^MISMATCH/);
  });

  describe('with values beyond 2^53 - 1', () => {
    const over = { type: 'record', offset: '9007199254740993' };
    const within = { type: 'record', offset: '9007199254740991' };
    const head = { type: 'batch', baseOffset: '0' };
    const end = { type: 'end' };
    const refusal = { type: 'refused', message: 'beyond 2^53 - 1' };

    it('expects the refusal of those lines', () => {
      expect(compareLines([head, within, over, end], [head, within, refusal, end])).toEqual({
        equal: 3,
        refused: ['9007199254740993'],
      });
      expect(compareLines([{ ...head, baseOffset: over.offset }, within, end], [refusal, end]).refused).toHaveLength(2);
    });

    it.each([
      ['a refusal without need', [head, within, end], [head, refusal, end]],
      ['a refusal that takes a good line along', [head, over, within, end], [head, refusal, end]],
      ['a refusal where nothing is left of the batch', [head, end], [head, refusal, end]],
      ['no refusal', [head, over, end], [head, over, end]],
      ['a refusal that takes the next batch along', [head, over, head, end], [head, refusal, end]],
    ])('meets %s', (_, expected, found) => {
      expect(compareLines(expected, found).difference).toBeDefined();
    });
  });

  it('exits 1 on a mismatch, 0 without, 2 when there is nothing to run', async () => {
    const run = (directory: string) =>
      spawnSync(process.execPath, ['--import', 'tsx', SCRIPT, directory], { encoding: 'utf8', cwd: process.cwd() });
    const { bytes, lines } = await fixture('batches/v2-single-minimal');
    await runOne(bytes, lines);
    expect(run(folder)).toMatchObject({ status: 0, stderr: '' });
    await runOne(bytes, lines.slice(1));
    const failed = run(folder);
    expect(failed.status).toBe(1);
    expect(failed.stdout).toMatch(/\n1 vectors: 0 ok, 1 mismatch, 0 pending\n$/);
    expect(run(join(folder, 'values'))).toMatchObject({ status: 2, stdout: '' });
  });
});
