/** Compares what the independent reader found in a partition's other files with what must stand there. */
import { basename } from 'node:path';
import { firstDifference } from '../vectors/compare.js';
import type { SegmentIndexes } from './expected-indexes.js';
import type { SideFile } from './python.js';

export interface ExpectedSideFiles {
  readonly topicId: string;
  readonly baseOffsets: readonly number[];
  readonly indexes: readonly SegmentIndexes[];
}

const EPOCHS = 'leader-epoch-checkpoint';
const METADATA = 'partition.metadata';

/** The first difference of each file that has one, and each file that is missing. */
export function sideFileDifferences(expected: ExpectedSideFiles, found: readonly SideFile[]): string[] {
  const wanted = new Map<string, object>([
    [EPOCHS, { kind: EPOCHS, version: 0, declared: 1, entries: [['0', '0']] }],
    [METADATA, { version: '0', topic_id: expected.topicId, topicIdHex: hexOf(expected.topicId) }],
  ]);
  expected.baseOffsets.forEach((baseOffset, segment) => {
    const { offsetIndex = [], timeIndex = [] } = expected.indexes[segment] ?? {};
    const name = String(baseOffset).padStart(20, '0');
    wanted.set(`${name}.index`, { kind: 'offset index', entries: offsetIndex, paddingBytes: 0 });
    wanted.set(`${name}.timeindex`, { kind: 'time index', entries: timeIndex, paddingBytes: 0 });
    // No producer has an id, so whatever is known of producers at a roll is nothing.
    if (segment > 0) {
      wanted.set(`${name}.snapshot`, { kind: 'producer snapshot', version: 1, crcOk: true, entries: [] });
    }
  });
  const differences: string[] = [];
  for (const { file, ...content } of found) {
    const name = basename(file);
    const difference = firstDifference(wanted.get(name) ?? 'no such file', content, name);
    if (difference !== undefined) differences.push(difference);
    wanted.delete(name);
  }
  for (const name of wanted.keys()) differences.push(`${name}: missing`);
  return differences;
}

function hexOf(topicId: string): string {
  return Buffer.from(topicId, 'base64url').toString('hex');
}
