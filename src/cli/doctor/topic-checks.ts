import { dirname, join } from 'node:path';
import { KlogError } from '../../errors.js';
import type { FileSystem } from '../../storage/file-system.js';
import { parsePartitionDirectoryName } from '../../storage/log-files.js';
import { KLOG_JSON, TOPICS_DIRECTORY, temporaryDirectoryPrefix, topicOfFileName } from '../../store/layout.js';
import { readTopicFile, type TopicFile } from '../../store/topic-file.js';
import type { FoundPartition } from '../log/dump-targets.js';
import { missingPartitionsOf } from '../log/missing-partitions.js';
import { type Finding, fail, ok, warn } from './finding.js';

const UNDER_WAY = { creating: 'being created', importing: 'being imported', deleting: 'being deleted' } as const;
const RESUMED = 'Nothing to do: the next change of topics completes it';

/** Holds the list of topics against the directories of partitions. */
export async function checkTopics(
  fs: FileSystem,
  directory: string,
  partitions: readonly FoundPartition[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const topics: TopicFile[] = [];
  const topicsDirectory = join(directory, TOPICS_DIRECTORY);
  if ((await fs.stat(topicsDirectory)) === undefined && (await fs.stat(join(directory, KLOG_JSON))) !== undefined) {
    const finding = fail('topics', `the directory ${topicsDirectory} is missing`, 'Bring it back from a copy');
    return [{ ...finding, isDamage: true, place: { file: topicsDirectory } }];
  }
  for (const name of await fs.readDirectory(topicsDirectory)) {
    const topic = topicOfFileName(name);
    if (topic === undefined) continue;
    try {
      const file = await readTopicFile(fs, topicsDirectory, topic);
      if (file !== undefined) topics.push(file);
    } catch (error) {
      if (!(error instanceof KlogError)) throw error;
      const place = { topic, file: join(topicsDirectory, name) };
      findings.push({ ...fail('topics', error.message), isDamage: error.code === 'CORRUPT_MESSAGE', place });
    }
  }
  for (const file of topics) {
    const { topic, state, growingTo } = file;
    if (state !== 'active') {
      findings.push(warn('topics', `topic ${topic} is ${UNDER_WAY[state]}, or that was interrupted`, RESUMED));
      continue;
    }
    if (growingTo !== undefined)
      findings.push(warn('topics', `topic ${topic} was growing to ${growingTo} partitions`, RESUMED));
    for (const { partition } of await missingPartitionsOf(fs, directory, file)) {
      const message = `the directory of ${topic}:${partition} is missing`;
      const hint = 'Bring it back from a copy, or delete the topic';
      findings.push({ ...fail('topics', message, hint), isDamage: true, place: { topic, partition } });
    }
  }
  findings.push(...strangers(partitions, topics), ...(await leftovers(fs, directory, partitions)));
  if (findings.length > 0) return findings;
  return [ok('topics', `${topics.length} topics, ${partitions.length} partitions, each where it belongs`)];
}

function strangers(partitions: readonly FoundPartition[], topics: readonly TopicFile[]): Finding[] {
  const known = new Map(topics.map((file) => [file.topic, file]));
  return partitions.flatMap(({ owner, directory }) => {
    const file = owner === undefined ? undefined : known.get(owner.topic);
    if (
      owner === undefined ||
      (file !== undefined && owner.partition < Math.max(file.partitions, file.growingTo ?? 0))
    ) {
      return [];
    }
    const hint = `\`klog log dump ${directory.shown}\` shows what is in it`;
    return [warn('topics', `${directory.shown} belongs to no topic`, hint)];
  });
}

async function leftovers(fs: FileSystem, directory: string, partitions: readonly FoundPartition[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const [first] = partitions;
  for (const name of first === undefined ? [] : await fs.readDirectory(dirname(first.directory.path))) {
    if (parsePartitionDirectoryName(name)?.state === 'delete') {
      findings.push(warn('leftovers', `${name} was left by an interrupted create or delete`, RESUMED));
    }
  }
  const prefix = temporaryDirectoryPrefix(directory);
  for (const name of await fs.readDirectory(dirname(directory))) {
    if (!name.startsWith(prefix)) continue;
    const path = join(dirname(directory), name);
    findings.push(warn('leftovers', `${path} is a klog directory that was not finished`, `rm -r ${path}`));
  }
  return findings;
}
