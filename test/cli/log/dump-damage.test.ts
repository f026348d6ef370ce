import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../../src/format/record-batch-builder.js';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { run } from '../support/fake-context.js';
import { dumpJson, type JsonLine } from './described-dump.js';
import { batchOf } from './own-partition.js';

const LOG = '00000000000000000000.log';
const NAMED = { topic: 't', partition: 0 };

/** Four batches of 70 bytes, offsets 0 to 3. */
const four = () => Buffer.concat(['a', 'b', 'c', 'd'].map((value, i) => batchOf([value], i)));
const SIZE = batchOf(['a']).length;

/** Files of partition t-0. */
async function withFiles<T>(files: Readonly<Record<string, Uint8Array>>, use: (directory: string) => Promise<T>) {
  return inTemporaryDirectory(async (data) => {
    const directory = join(data, 't-0');
    mkdirSync(directory);
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
    return use(directory);
  });
}

const dumpBytes = (bytes: Uint8Array, ...args: string[]) =>
  withFiles({ [LOG]: bytes }, (directory) => dumpJson([directory, ...args]));

const verdicts = (lines: readonly JsonLine[]) =>
  lines.filter(({ type }) => type === 'batch').map(({ position, valid }) => [position, valid]);

describe('a damaged batch is shown and the walk goes on behind it', () => {
  it.each([
    ['a flipped bit', (log: Buffer) => log.writeUInt8(log[2 * SIZE - 2]! ^ 1, 2 * SIZE - 2), 'the CRC does not match'],
    ['a magic above 2', (log: Buffer) => log.writeUInt8(9, SIZE + 16), 'the magic is 9'],
    [
      'an offset that goes back',
      (log: Buffer) => log.writeBigInt64BE(0n, SIZE),
      'a batch of offset 0 where 1 has its place',
    ],
    ['an offset beyond 2^53 - 1', (log: Buffer) => log.writeBigInt64BE(2n ** 60n, SIZE), 'klog refuses it'],
    ['a negative offset', (log: Buffer) => log.writeBigInt64BE(-5n, SIZE), 'a batch of offset -5'],
    [
      'a length that is too small',
      (log: Buffer) => log.writeInt32BE(5, SIZE + 8),
      `the next batch begins at ${2 * SIZE}`,
    ],
    [
      'a length beyond the file',
      (log: Buffer) => log.writeInt32BE(70_000, SIZE + 8),
      'leads behind the end of the file',
    ],
    ['a length into another batch', (log: Buffer) => log.writeInt32BE(SIZE + 5, SIZE + 8), 'the CRC does not match'],
  ])('%s', async (_name, damage, problem) => {
    const log = four();
    damage(log);
    const { code, lines, err } = await dumpBytes(log, '--records');
    expect(code).toBe(7);
    const second = lines.find(({ valid }) => valid === false);
    expect(second).toMatchObject({ type: 'batch', ...NAMED, position: SIZE, valid: false });
    expect(second?.problem).toContain(problem);
    expect(JSON.parse(err)).toMatchObject({ code: 'CORRUPT_MESSAGE', exit: 7, ...NAMED, position: SIZE });
    expect(lines[0]).toMatchObject({ position: 0, valid: true });
    expect(verdicts(lines)).toEqual([
      [0, true],
      [SIZE, false],
      [2 * SIZE, true],
      [3 * SIZE, true],
    ]);
    expect(lines.filter(({ type }) => type === 'record').map(({ value }) => value)).toEqual(['a', 'c', 'd']);
  });

  it('one offset far too high: not the step back behind it is wrong', async () => {
    const log = four();
    log.writeBigInt64BE(2n ** 40n, SIZE);
    const { lines } = await dumpBytes(log);
    expect(lines[1]?.problem).toBe('a batch of offset 1099511627776, and offset 2 behind it');
    expect(verdicts(lines)).toEqual([
      [0, true],
      [SIZE, false],
      [2 * SIZE, true],
      [3 * SIZE, true],
    ]);
  });

  it('several: the first is named, the others are counted', async () => {
    const log = four();
    for (const batch of [1, 3]) log.writeUInt8(0x7f, (batch + 1) * SIZE - 1);
    const { err } = await withFiles({ [LOG]: log }, (directory) => run(['log', 'dump', directory]));
    expect(err).toMatch(
      /^klog: .*\.log is damaged at position 70: the CRC does not match; the first of 2 damaged places/,
    );
  });

  it('records that do not fit their batch, whose CRC is right: those before it, then the damage', async () => {
    const builder = new RecordBatchBuilder();
    for (const value of ['x', 'y']) builder.appendValue(Buffer.from(value), 0, 1, 5);
    const bytes = Buffer.from(builder.build({}));
    bytes.writeInt32BE(3, 57);
    const { crc32c } = await import('../../../src/format/crc32c.js');
    bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17);
    const { code, lines } = await dumpBytes(bytes, '--records');
    expect(code).toBe(7);
    expect(lines.map(({ type }) => type)).toEqual(['batch', 'record', 'record', 'damage']);
    expect(lines.at(-1)).toMatchObject({ ...NAMED, position: 0 });
    expect((await dumpBytes(bytes)).code).toBe(0);
  });
});

describe('what lies behind the last batch', () => {
  const tail = (bytes: Uint8Array) => dumpBytes(Buffer.concat([four(), bytes]));

  it.each([
    ['zeros of room made in advance', Buffer.alloc(300_000), 'zeros', 0],
    ['a few zeros', Buffer.alloc(5), 'zeros', 0],
    ['a batch that is not whole', batchOf(['e'], 4).subarray(0, 69), 'partial', 0],
    ['less than a head', batchOf(['e'], 4).subarray(0, 9), 'partial', 0],
    ['text', Buffer.from('x'.repeat(99)), 'garbage', 7],
    ['zeros and then something', Buffer.concat([Buffer.alloc(200_000), Buffer.from([1])]), 'garbage', 7],
  ])('%s', async (_name, bytes, content, exit) => {
    const { code, lines } = await tail(bytes);
    expect(lines.at(-1)).toMatchObject({ type: 'trailingBytes', position: 4 * SIZE, bytes: bytes.length, content });
    expect(code).toBe(exit);
  });

  it('is damage where another segment follows', async () => {
    const files = { [LOG]: four().subarray(0, -1), '00000000000000000004.log': batchOf(['e'], 4) };
    await withFiles(files, async (directory) => {
      for (const path of [directory, join(directory, LOG)]) {
        const { code, err } = await dumpJson([path]);
        expect(code).toBe(7);
        expect(JSON.parse(err)).toMatchObject({ position: 3 * SIZE });
      }
    });
  });

  it('is not looked at with --max-bytes, which counts whole batches', async () => {
    const { code, lines } = await dumpBytes(Buffer.concat([four(), Buffer.from('x'.repeat(99))]), '--max-bytes', '150');
    expect(code).toBe(0);
    expect(verdicts(lines)).toEqual([
      [0, true],
      [SIZE, true],
    ]);
  });

  it('nothing in an empty file, nor in a partition without segments', async () => {
    await withFiles({ [LOG]: Buffer.alloc(0) }, async (directory) => {
      const { code, out } = await run(['log', 'dump', directory]);
      expect({ code, out }).toEqual({ code: 0, out: `Dumping ${join(directory, LOG)}\nLog starting offset: 0\n` });
    });
    await withFiles({}, async (directory) => expect((await dumpJson([directory])).code).toBe(0));
  });
});

describe('indexes and small files', () => {
  it.each([
    ['an index that is no whole number of entries', '00000000000000000000.index', Buffer.alloc(12, 1)],
    ['a time beyond 2^53 - 1', '00000000000000000000.timeindex', Buffer.alloc(12, 0x7f)],
    ['an aborted transaction of another version', '00000000000000000000.txnindex', Buffer.alloc(34, 1)],
    ['a snapshot whose CRC is wrong', '00000000000000000000.snapshot', Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0])],
    ['a checkpoint that counts wrongly', 'leader-epoch-checkpoint', Buffer.from('0\n2\n0 0\n')],
    ['a control file of zeros', 'klog.end', Buffer.alloc(4096)],
  ])('%s: exit 7', async (_name, file, bytes) => {
    await withFiles({ [file]: bytes }, async (directory) => {
      const { code, err } = await dumpJson([join(directory, file)]);
      expect(code).toBe(7);
      expect(JSON.parse(err)).toMatchObject({ code: 'CORRUPT_MESSAGE', file: join(directory, file) });
    });
  });

  it('shows zeros between the entries of an index, and not those behind them', async () => {
    const index = Buffer.alloc(40);
    index.writeInt32BE(9, 16);
    index.writeInt32BE(500, 20);
    await withFiles({ '00000000000000000100.index': index }, async (directory) => {
      const { lines } = await dumpJson([join(directory, '00000000000000000100.index')]);
      expect(lines.map(({ offset, position, bytes }) => [offset, position, bytes])).toEqual([
        [100, 0, undefined],
        [100, 0, undefined],
        [109, 500, undefined],
        [undefined, 24, 16],
      ]);
    });
  });

  it('needs to know what entries are relative to', async () => {
    await withFiles({ 'copy.index': Buffer.alloc(8) }, async (directory) => {
      expect((await dumpJson([join(directory, 'copy.index')])).code).toBe(2);
    });
  });
});

it('says which link it does not follow', async () => {
  const fixture = resolve(import.meta.dirname, '../../fixtures/kafka/batches/v2-mixed-none.bin');
  await withFiles({ 'real.log': readFileSync(fixture) }, async (directory) => {
    const { symlinkSync } = await import('node:fs');
    symlinkSync(join(directory, 'real.log'), join(directory, LOG));
    const { code, err } = await run(['log', 'dump', directory]);
    expect(code).toBe(1);
    expect(err).toContain('symbolic link');
  });
});
