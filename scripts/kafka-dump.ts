/**
 * npm run kafka-dump -- [--seed S]
 *
 * Kafka's own code as the judge: topics of every kind are written by the built command (every codec, headers, nulls,
 * binary keys, several segments and partitions, LogAppendTime, compacted, trimmed, erased, repaired, recovered after
 * kill -9, imported), and what kafka-dump-log (kafka.tools.DumpLogSegments) prints of their files must be what `klog
 * log dump` says: each batch and record, each index entry, which Kafka also looks up in the log, and the check of an
 * index that a broker makes at its start.
 *
 * Wants Java 17 and Maven, which fetches Kafka's jars (test/kafka/pom.xml). Exits 1 at a difference, 2 for wrong
 * arguments, and 3 where Java or Maven is missing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Comparison, compareLogs } from './kafka-dump/compare-logs.js';
import { KafkaTool, whyNoKafka } from './kafka-dump/kafka-tool.js';
import { KlogCommand } from './kafka-dump/klog-command.js';
import { importAll, WRITERS } from './kafka-dump/written-logs.js';

const SHOWN_DIFFERENCES = 5;
const FEWEST_SEGMENTS = 2;

process.exitCode = await main();

async function main(): Promise<number> {
  const seed = readArguments();
  if (seed === undefined) return 2;
  const missing = whyNoKafka();
  if (missing !== undefined) {
    console.error(`kafka-dump: cannot ask Kafka: ${missing}`);
    return 3;
  }
  const kafka = KafkaTool.fetch();
  const root = await mkdtemp(join(tmpdir(), 'klog-kafka-dump-'));
  const written = new KlogCommand(join(root, 'written', '.klog'));
  const imported = new KlogCommand(join(root, 'imported', '.klog'));
  for (const [topic, write] of Object.entries(WRITERS)) await write(written, topic, seed);
  importAll(written, imported, join(root, 'archive'));
  const sum = { partitions: 0, wrong: 0, records: 0, batches: 0, segments: 0, indexEntries: 0 };
  for (const [name, klog] of Object.entries({ written, imported })) {
    for (const comparison of compareLogs(klog, kafka)) report(name, comparison, sum);
  }
  console.log(
    `${sum.partitions} partitions, ${sum.records} records in ${sum.batches} batches and ${sum.segments} segments, ` +
      `${sum.indexEntries} index entries, seed ${seed}, Kafka ${kafka.version()}: ` +
      `${sum.wrong === 0 ? 'no difference' : `${sum.wrong} differ`}`,
  );
  if (sum.wrong > 0) {
    console.log(`The files are kept: ${root}`);
    return 1;
  }
  await rm(root, { recursive: true });
  return 0;
}

interface Sum {
  partitions: number;
  wrong: number;
  records: number;
  batches: number;
  segments: number;
  indexEntries: number;
}

function report(name: string, comparison: Comparison, sum: Sum): void {
  const { partition, differences, records, batches, segments, indexEntries } = comparison;
  if (segments < FEWEST_SEGMENTS) differences.push(`${segments} segments, ${FEWEST_SEGMENTS} at least are meant`);
  const counts = `${records} records, ${batches} batches, ${segments} segments, ${indexEntries} index entries`;
  console.log(`${differences.length === 0 ? 'ok  ' : 'DIFF'} ${name.padEnd(9)} ${partition.padEnd(16)} ${counts}`);
  for (const difference of differences.slice(0, SHOWN_DIFFERENCES)) console.log(`     ${difference}`);
  const more = differences.length - SHOWN_DIFFERENCES;
  if (more > 0) console.log(`     and ${more} more`);
  sum.partitions++;
  sum.wrong += differences.length === 0 ? 0 : 1;
  for (const what of ['records', 'batches', 'segments', 'indexEntries'] as const) sum[what] += comparison[what];
}

function readArguments(): number | undefined {
  try {
    const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } });
    const seed = Number(values.seed);
    if (!Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed} is not a whole number`);
    return seed;
  } catch (error) {
    console.error(`kafka-dump: ${(error as Error).message}\nusage: npm run kafka-dump -- [--seed S]`);
    return undefined;
  }
}
