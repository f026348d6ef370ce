/** Segments that a crash left: what Kafka's recovery makes of them, klog's must make of them too, byte for byte. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSegmentFileName, segmentFileName } from '../../src/storage/log-files.js';
import { Comparison } from './comparison.js';
import { recoverCopy } from './recovered-copy.js';
import type { Kind } from './vector.js';

interface Expected {
  readonly indexIntervalBytes: number;
  readonly baseOffset: string;
  readonly sizeBefore: number;
  /** -1: Kafka threw `exception` instead. */
  readonly truncatedBytes: number;
  readonly sizeAfter: number;
  readonly exception: string | null;
  readonly nextOffset: string;
}

const KAFKAS_OVERFLOW = 'LogSegmentOffsetOverflowException';

export const runRecovery: Kind = async (folder, vector) => {
  const expected = JSON.parse(await readFile(join(folder, vector.expected!), 'utf8')) as Expected;
  const root = join(folder, vector.dir!);
  const check = new Comparison();
  const [partition, ...more] = await readdir(join(root, 'before'));
  check.equal('partitions', 0, more.length);
  const names = await readdir(join(root, 'before', partition!));
  check.equal('files before', [segmentFileName(Number(expected.baseOffset), '.log')], names);
  const { baseOffset } = parseSegmentFileName(names[0]!)!;

  const recovered = await recoverCopy(join(root, 'before', partition!), baseOffset, expected.indexIntervalBytes, true);
  check.equal('sizeBefore', expected.sizeBefore, recovered.logSize);
  const overflow = recovered.stop === 'offset-overflow' ? KAFKAS_OVERFLOW : null;
  check.equal('exception', expected.exception, overflow);
  // Kafka leaves a log that must be split as it is; klog says where the good part ends, which is its caller's matter.
  if (overflow === null) {
    check.equal('truncatedBytes', expected.truncatedBytes, recovered.logSize - recovered.validBytes);
    check.equal('sizeAfter', expected.sizeAfter, recovered.validBytes);
    check.equal('nextOffset', expected.nextOffset, String(recovered.nextOffset));
    const before = await readFile(join(root, 'before', partition!, names[0]!));
    const after = await readFile(join(root, 'after', partition!, names[0]!));
    check.equal('log', after.toString('hex'), before.subarray(0, recovered.validBytes).toString('hex'));
  }
  for (const [suffix, rebuilt] of recovered.files) {
    const file = join(root, 'after', partition!, segmentFileName(baseOffset, suffix));
    const kafkas = existsSync(file) ? await readFile(file) : Buffer.alloc(0);
    check.equal(suffix, kafkas.toString('hex'), rebuilt.toString('hex'));
  }
  return check.outcome();
};
