import { expect, it } from 'vitest';
import { sideFileDifferences } from '../../scripts/oracle/side-file-checker.js';

const TOPIC_ID = 'gWQKv1acRxKsUqghlo125A';
const EXPECTED = {
  topicId: TOPIC_ID,
  baseOffsets: [0, 56],
  indexes: [
    { offsetIndex: [['7', 234]], timeIndex: [['1003', '7']] },
    { offsetIndex: [], timeIndex: [] },
  ] as const,
};
const FOUND = [
  { file: 'd/00000000000000000000.index', kind: 'offset index', entries: [['7', 234]], paddingBytes: 0 },
  { file: 'd/00000000000000000000.timeindex', kind: 'time index', entries: [['1003', '7']], paddingBytes: 0 },
  { file: 'd/00000000000000000056.index', kind: 'offset index', entries: [], paddingBytes: 0 },
  { file: 'd/00000000000000000056.timeindex', kind: 'time index', entries: [], paddingBytes: 0 },
  { file: 'd/00000000000000000056.snapshot', kind: 'producer snapshot', version: 1, crcOk: true, entries: [] },
  {
    file: 'd/leader-epoch-checkpoint',
    kind: 'leader-epoch-checkpoint',
    version: 0,
    declared: 1,
    entries: [['0', '0']],
  },
  { file: 'd/partition.metadata', version: '0', topic_id: TOPIC_ID, topicIdHex: '81640abf569c4712ac52a821968d76e4' },
];

it('finds nothing wrong in the files of a partition that are right', () => {
  expect(sideFileDifferences(EXPECTED, FOUND)).toEqual([]);
});

it('finds each field that is wrong, and each file that is missing or should not be there', () => {
  const unnoticed: string[] = [];
  FOUND.forEach((file, index) => {
    for (const [field, value] of Object.entries(file)) {
      const changed = FOUND.with(index, { ...file, [field]: `${JSON.stringify(value)}1` } as never);
      if (sideFileDifferences(EXPECTED, changed).length === 0) unnoticed.push(`${file.file} ${field}`);
    }
    expect(sideFileDifferences(EXPECTED, FOUND.toSpliced(index, 1))).toHaveLength(1);
  });
  expect(unnoticed).toEqual([]);
  expect(
    sideFileDifferences(EXPECTED, [...FOUND, { ...FOUND[4]!, file: 'd/00000000000000000099.snapshot' }]),
  ).toHaveLength(1);
});
