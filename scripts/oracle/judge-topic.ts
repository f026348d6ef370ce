/** One topic before the judge: every segment and every side file of every partition. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentLines, sideFiles } from './python.js';
import { SegmentChecker } from './segment-checker.js';
import { sideFileDifferences } from './side-file-checker.js';
import type { TopicPlan } from './topic-plan.js';
import type { WrittenTopic } from './write-topic.js';

export interface Verdict {
  readonly differences: readonly string[];
  readonly records: number;
  readonly batches: number;
  readonly segments: number;
  readonly indexEntries: number;
}

const DEFAULT_SEGMENT_BYTES = '1073741824';
const DEFAULT_INDEX_INTERVAL_BYTES = '4096';
/** klog's own file in a partition's directory; no broker reads it. */
const KLOGS_OWN = 'klog.end';

export async function judgeTopic(directory: string, plan: TopicPlan, written: WrittenTopic): Promise<Verdict> {
  const verdict = { differences: [] as string[], records: 0, batches: 0, segments: 0, indexEntries: 0 };
  for (const [partition, records] of written.partitions.entries()) {
    const folder = join(directory, 'log', `${plan.topic}-${partition}`);
    const names = (await readdir(folder)).sort();
    const logs = names.filter((name) => name.endsWith('.log'));
    const baseOffsets = logs.map((name) => Number(name.slice(0, -'.log'.length)));
    const checker = new SegmentChecker({
      compression: plan.compression,
      timestampType: plan.configs['message.timestamp.type'] === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
      segmentBytes: Number(plan.configs['segment.bytes'] ?? DEFAULT_SEGMENT_BYTES),
      indexIntervalBytes: Number(plan.configs['index.interval.bytes'] ?? DEFAULT_INDEX_INTERVAL_BYTES),
      baseOffsets,
      records,
    });
    for await (const line of segmentLines(logs.map((name) => join(folder, name)))) checker.line(line);
    checker.end();
    const others = names.filter((name) => !name.endsWith('.log') && name !== KLOGS_OWN);
    const found = await sideFiles(others.map((name) => join(folder, name)));
    const { indexes } = checker;
    const indexEntries = indexes.reduce((sum, { offsetIndex }) => sum + offsetIndex.length, 0);
    const differences = [
      ...checker.differences,
      ...sideFileDifferences({ topicId: written.topicId, baseOffsets, indexes }, found),
      ...tooLittle(plan, { segments: logs.length, batches: checker.batchCount, indexEntries }),
    ];
    verdict.differences.push(...differences.map((difference) => `partition ${partition}: ${difference}`));
    verdict.records += checker.recordCount;
    verdict.batches += checker.batchCount;
    verdict.segments += logs.length;
    verdict.indexEntries += indexEntries;
  }
  return verdict;
}

function tooLittle({ least }: TopicPlan, found: TopicPlan['least']): string[] {
  return (Object.keys(least) as (keyof typeof least)[])
    .filter((what) => found[what] < least[what])
    .map((what) => `${found[what]} ${what}, the plan is for ${least[what]} at least`);
}
