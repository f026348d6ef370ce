import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from '../../src/storage/checkpoint-file.js';
import { nodeFileSystem as fs } from '../../src/storage/file-system-node.js';
import { formatJavaProperties, parseJavaProperties } from '../../src/storage/java-properties.js';
import {
  cutLeaderEpochs,
  decodeLeaderEpochs,
  LEADER_EPOCH_CHECKPOINT,
  leaderEpochOf,
  readLeaderEpochs,
  writeLeaderEpochs,
} from '../../src/storage/leader-epoch-checkpoint.js';
import { decodeMetaProperties, encodeMetaProperties } from '../../src/storage/meta-properties.js';
import {
  decodePartitionMetadata,
  readPartitionMetadata,
  writePartitionMetadata,
} from '../../src/storage/partition-metadata.js';
import {
  decodeProducerSnapshot,
  EMPTY_SNAPSHOT,
  encodeProducerSnapshot,
  writeProducerSnapshot,
} from '../../src/storage/producer-snapshot.js';
import { sharedDirectory } from '../support/temporary-directory.js';

const directory = sharedDirectory();

describe('offset checkpoints', () => {
  it('are text, and come back as written, up to the largest offset there is', () => {
    const entries = [
      { topic: 'with-dash.and_x', partition: 12, offset: 9_007_199_254_740_991 },
      { topic: 'orders', partition: 0, offset: 0 },
    ];
    const bytes = encodeOffsetCheckpoint(entries);
    expect(Buffer.from(bytes).toString()).toBe('0\n2\nwith-dash.and_x 12 9007199254740991\norders 0 0\n');
    expect(decodeOffsetCheckpoint(bytes, 'x')).toEqual(entries);
    expect(Buffer.from(encodeOffsetCheckpoint([])).toString()).toBe('0\n0\n');
  });

  it('has no entries when it has no bytes', () => {
    expect(decodeOffsetCheckpoint(new Uint8Array(0), 'x')).toEqual([]);
  });

  it.each([
    ['1\n0\n', 1],
    ['0\n2\na 0 1\n', 2],
    ['0\n0\na 0 1\n', 2],
    ['0\nx\n', 2],
    ['0\n1\na 0\n', 3],
    ['0\n2\na 0 1\nb 0 -1\n', 4],
    ['0\n1\na 1.5 1\n', 3],
    ['0', 2],
  ])('refuses %j, naming the line', (text, line) => {
    expect(() => decodeOffsetCheckpoint(Buffer.from(text), 'cp')).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE', place: { file: 'cp', line } }),
    );
  });

  it('refuses offsets beyond 2^53 - 1', () => {
    expect(() => decodeOffsetCheckpoint(Buffer.from('0\n1\na 0 9007199254740992\n'), 'cp')).toThrow(/2\^53/);
  });
});

describe('leader epochs', () => {
  const epochs = [
    { epoch: 0, startOffset: 0 },
    { epoch: 3, startOffset: 17 },
    { epoch: 7, startOffset: 40 },
  ];

  it('come back as written; none where there is no file or an empty one', async () => {
    expect(await readLeaderEpochs(fs, directory)).toEqual([]);
    writeFileSync(join(directory, LEADER_EPOCH_CHECKPOINT), '');
    expect(await readLeaderEpochs(fs, directory)).toEqual([]);
    await writeLeaderEpochs(fs, directory, epochs);
    expect(await readLeaderEpochs(fs, directory)).toEqual(epochs);
    expect(readFileSync(join(directory, LEADER_EPOCH_CHECKPOINT), 'utf8')).toBe('0\n3\n0 0\n3 17\n7 40\n');
  });

  it.each(['0\n2\n1 5\n1 6\n', '0\n2\n1 5\n2 5\n', '0\n2\n3 5\n2 9\n'])('refuses %j: they must rise', (text) => {
    expect(() => decodeLeaderEpochs(Buffer.from(text), 'ec')).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE', place: { file: 'ec', line: 4 } }),
    );
  });

  it('tell the epoch of an offset', () => {
    expect([0, 16, 17, 39, 40, 99].map((offset) => leaderEpochOf(epochs, offset))).toEqual([0, 0, 3, 3, 7, 7]);
    expect(leaderEpochOf([{ epoch: 2, startOffset: 5 }], 4)).toBeUndefined();
  });

  it('are cut to the log', () => {
    expect(cutLeaderEpochs(epochs, 0, 41)).toEqual(epochs);
    expect(cutLeaderEpochs(epochs, 0, 40)).toEqual(epochs.slice(0, 2));
    expect(cutLeaderEpochs(epochs, 20, 99)).toEqual([{ epoch: 3, startOffset: 20 }, epochs[2]]);
    expect(cutLeaderEpochs(epochs, 17, 99)).toEqual(epochs.slice(1));
  });
});

describe('partition.metadata', () => {
  const topicId = 'ASNFZ4mrze_-3LqYdlQyEA';

  it('has 43 bytes and no line end', async () => {
    expect(await readPartitionMetadata(fs, directory)).toBeUndefined();
    await writePartitionMetadata(fs, directory, topicId);
    expect(readFileSync(join(directory, 'partition.metadata'), 'utf8')).toBe(`version: 0\ntopic_id: ${topicId}`);
    expect(await readPartitionMetadata(fs, directory)).toEqual({ topicId });
  });

  it.each(['', 'version: 1\ntopic_id: ASNFZ4mrze_-3LqYdlQyEA', 'version: 0', 'version: 0\ntopic_id: ../../etc'])(
    'refuses %j',
    (text) => {
      expect(() => decodePartitionMetadata(Buffer.from(text))).toThrow(
        expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
      );
    },
  );
});

describe('meta.properties', () => {
  it('come back as written, in both versions', () => {
    const kraft = { version: 1 as const, nodeId: 3, clusterId: '5L6g3nShT-eMCtK--X86sw', directoryId: 'x_-y' };
    expect(decodeMetaProperties(encodeMetaProperties(kraft))).toEqual(kraft);
    const zooKeeper = { version: 0 as const, nodeId: 1, clusterId: 'c', directoryId: undefined };
    expect(Buffer.from(encodeMetaProperties(zooKeeper)).toString()).toBe('cluster.id=c\nbroker.id=1\nversion=0\n');
    expect(decodeMetaProperties(encodeMetaProperties(zooKeeper))).toEqual(zooKeeper);
  });

  it('are read as Java writes them', () => {
    const text = '#\n#Tue Oct 01 12:00:00 UTC 2024\nnode.id=1\ndirectory.id=a\\=b\nversion=1\ncluster.id = c \n';
    expect(decodeMetaProperties(Buffer.from(text))).toMatchObject({ nodeId: 1, directoryId: 'a=b', clusterId: 'c ' });
  });

  it.each([
    ['', 'CORRUPT_MESSAGE'],
    ['version=one', 'CORRUPT_MESSAGE'],
    ['version=1\nnode.id=x', 'CORRUPT_MESSAGE'],
    ['version=2', 'UNSUPPORTED_VERSION'],
  ])('refuses %j', (text, code) => {
    expect(() => decodeMetaProperties(Buffer.from(text))).toThrow(expect.objectContaining({ code }));
  });
});

describe('java properties', () => {
  it.each([
    ['a=b', [['a', 'b']]],
    ['a : b', [['a', 'b']]],
    ['  a   b c ', [['a', 'b c ']]],
    ['a', [['a', '']]],
    ['a\\ b\\=c=d', [['a b=c', 'd']]],
    ['a=b\\\n    c', [['a', 'bc']]],
    [
      'a=b\\\\\nc=d',
      [
        ['a', 'b\\'],
        ['c', 'd'],
      ],
    ],
    ['a=\\u0041\\t\\x', [['a', 'A\tx']]],
    ['! no\n # no\r\na==', [['a', '=']]],
    ['a=1\na=2', [['a', '2']]],
    ['a=b\\', [['a', 'b']]],
    ['__proto__=x', [['__proto__', 'x']]],
  ])('read %j', (text, expected) => {
    expect([...parseJavaProperties(text)]).toEqual(expected);
  });

  it('come back whatever the strings', () => {
    const text = fc.string({ unit: fc.constantFrom(...' \t\n\r\f\\=:#!uaé€😀\u0000') });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key }), (entries) => {
        const written = formatJavaProperties(entries, ['a comment']);
        expect([...parseJavaProperties(written)]).toEqual(entries);
        expect(written).toMatch(/^[\n -~]*$/);
      }),
    );
  });
});

describe('producer snapshots', () => {
  const entry = {
    producerId: 7,
    producerEpoch: 32767,
    lastSequence: 2 ** 31 - 1,
    lastOffset: 60,
    offsetDelta: 4,
    timestamp: 1_700_000_000_000,
    coordinatorEpoch: -1,
    currentTxnFirstOffset: -1,
  };

  it('come back as written', async () => {
    const entries = [entry, { ...entry, producerId: 0, lastSequence: -1, lastOffset: -1, currentTxnFirstOffset: 55 }];
    await writeProducerSnapshot(fs, directory, 101, entries);
    const bytes = readFileSync(join(directory, '00000000000000000101.snapshot'));
    expect(bytes).toHaveLength(102);
    expect(decodeProducerSnapshot(bytes, 's')).toEqual(entries);
    expect(encodeProducerSnapshot(EMPTY_SNAPSHOT)).toHaveLength(10);
    expect(decodeProducerSnapshot(encodeProducerSnapshot([]), 's')).toEqual([]);
  });

  it('are refused with any bit flipped or any byte cut off', () => {
    const bytes = encodeProducerSnapshot([entry, { ...entry, producerId: 8 }]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const spoiled = Buffer.from(bytes);
      spoiled[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeProducerSnapshot(spoiled, 's')).toThrow(
        expect.objectContaining({ code: bit < 16 ? 'UNSUPPORTED_VERSION' : 'CORRUPT_MESSAGE' }),
      );
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeProducerSnapshot(bytes.subarray(0, length), 's')).toThrow(/CRC|bytes/);
    }
  });
});
