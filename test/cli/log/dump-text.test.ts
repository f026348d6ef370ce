import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildTransactionMarker } from '../../../src/format/control-record.js';
import { RecordBatchBuilder } from '../../../src/format/record-batch-builder.js';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { type FakeOptions, run } from '../support/fake-context.js';
import { batchOf } from './own-partition.js';

const LOG = '00000000000000000000.log';
const T = 1_700_000_000_000;

async function dumpText(bytes: Uint8Array, args: readonly string[], options: FakeOptions = {}) {
  return inTemporaryDirectory(async (data) => {
    mkdirSync(join(data, 't-0'));
    writeFileSync(join(data, 't-0', LOG), bytes);
    return run(['log', 'dump', `t-0/${LOG}`, ...args], { cwd: data, ...options });
  });
}

function oneRecord(key: string | null, value: string | null, header?: string): Uint8Array {
  const builder = new RecordBatchBuilder();
  const [k, v] = [key, value].map((text) => (text === null ? null : Buffer.from(text, 'latin1')));
  const headers =
    header === undefined
      ? null
      : [
          { key: header, value: null },
          { key: 'h2', value: new Uint8Array(2) },
        ];
  builder.append(k!, 0, k?.length ?? 0, v!, 0, v?.length ?? 0, T, headers);
  return Buffer.from(builder.build({ baseOffset: 0, partitionLeaderEpoch: 0 }));
}

const marker = () =>
  buildTransactionMarker({
    result: 'COMMIT',
    producerId: 9,
    producerEpoch: 2,
    coordinatorEpoch: 4,
    timestamp: T,
    baseOffset: 1,
  });

describe('the lines of kafka-dump-log', () => {
  it('batches, records and markers, word for word', async () => {
    const bytes = Buffer.concat([oneRecord('k', 'v', 'h1'), marker()]);
    const [crc, markerCrc] = [bytes.readUInt32BE(17), bytes.readUInt32BE(bytes.length - 78 + 17)];
    const size = bytes.length - 78;
    const { code, out } = await dumpText(bytes, ['--records']);
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      `Dumping t-0/${LOG}`,
      'Log starting offset: 0',
      `baseOffset: 0 lastOffset: 0 count: 1 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: ${T} size: ${size} magic: 2 compresscodec: none crc: ${crc} isvalid: true`,
      `| offset: 0 CreateTime: ${T} keySize: 1 valueSize: 1 sequence: -1 headerKeys: [h1,h2] key: k payload: v`,
      `baseOffset: 1 lastOffset: 1 count: 1 baseSequence: -1 lastSequence: -1 producerId: 9 producerEpoch: 2 partitionLeaderEpoch: -1 isTransactional: true isControl: true deleteHorizonMs: OptionalLong.empty position: ${size} CreateTime: ${T} size: 78 magic: 2 compresscodec: none crc: ${markerCrc} isvalid: true`,
      `| offset: 1 CreateTime: ${T} keySize: 4 valueSize: 6 sequence: -1 headerKeys: [] endTxnMarker: COMMIT coordinatorEpoch: 4`,
      '',
    ]);
  });

  it('null keys and values have size -1 and no text, empty ones size 0', async () => {
    const nulls = await dumpText(oneRecord(null, null), ['--records']);
    expect(nulls.out).toMatch(/keySize: -1 valueSize: -1 sequence: -1 headerKeys: \[\]\n$/);
    const empty = await dumpText(oneRecord('', ''), ['--records']);
    expect(empty.out).toMatch(/keySize: 0 valueSize: 0 sequence: -1 headerKeys: \[\] key: {2}payload: \n$/);
  });

  it("kafka-dump-log's own flags", async () => {
    const bytes = oneRecord('k', 'v');
    const lastLine = async (...args: string[]) => (await dumpText(bytes, args)).out.trimEnd().split('\n').at(-1);
    const metadata = `| offset: 0 CreateTime: ${T} keySize: 1 valueSize: 1 sequence: -1 headerKeys: []`;
    expect(await lastLine('--print-data-log')).toBe(`${metadata} key: k payload: v`);
    expect(await lastLine('--deep-iteration')).toBe(metadata);
    expect(await lastLine('--deep-iteration', '--print-data-log')).toBe(`${metadata} key: k payload: v`);
    expect(await lastLine('--records', '--skip-record-metadata')).toBe('| key: k payload: v');
    expect(await lastLine()).toMatch(/^baseOffset: 0 /);
    const twice = await dumpText(bytes, ['--files', `t-0/${LOG},t-0/${LOG}`]);
    expect(twice.out.match(/^Dumping /gm)).toHaveLength(3);
  });

  it('how many bytes are left over', async () => {
    const { out } = await dumpText(Buffer.concat([oneRecord('k', 'v'), Buffer.alloc(20)]), []);
    expect(out.trimEnd().split('\n').at(-1)).toBe(`Found 20 invalid bytes at the end of ${LOG}: zeros`);
  });
});

describe('data that would steer a terminal', () => {
  const evil = oneRecord('\x1b[2J', '\x9b31m', 'h\u202e');

  it('is escaped on a terminal', async () => {
    for (const args of [['--records'], ['--records', '--json']]) {
      const { out } = await dumpText(evil, args, { terminal: true });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(out).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/);
    }
    expect((await dumpText(evil, ['--records'], { terminal: true })).out).toContain('key: \\x1b[2J payload: \\x9b31m');
  });

  it('goes to a pipe as it is', async () => {
    expect((await dumpText(evil, ['--records'])).out).toContain('key: \x1b[2J');
  });
});

it('ends with 0, also on a damaged log, when the reader goes away', async () => {
  const batches = Array.from({ length: 5000 }, (_, i) => batchOf(['v'], i));
  const bytes = Buffer.concat([...batches, Buffer.from('x'.repeat(99))]);
  const { code, err } = await dumpText(bytes, ['--records'], { writeError: { at: 1, code: 'EPIPE' } });
  expect({ code, err }).toEqual({ code: 0, err: '' });
});

it('ends with 1 when writing fails', async () => {
  const { code, err } = await dumpText(oneRecord('k', 'v'), [], { writeError: { at: 1, code: 'ENOSPC' } });
  expect(code).toBe(1);
  expect(err).toContain('writing standard output');
});
