/** Holds what is in a log against what was promised, and against what was there before. */
import { keyOf, PROBE_WRITER, payloadOf } from './payload.js';
import { BrokenPromise, type Content, idAt, lastOfKeys, type PartitionContent } from './read-everything.js';
import type { PromisedTopic, Transcript } from './transcript.js';

/** The topic that the judge itself makes. */
export const PROBE = 'probe';

/** Of its records, headers included. */
const PROBE_BYTES = 700;
const MOST_AROUND_A_VALUE = 150;

export function promisesHold({ topics }: Transcript, content: Content): void {
  for (const [topic, promised] of topics) {
    const partitions = content.get(topic);
    if (partitions === undefined) {
      if (promised.existence === 'yes') throw new BrokenPromise(`topic ${topic} was created, and is gone`);
      continue;
    }
    if (promised.existence === 'no') throw new BrokenPromise(`topic ${topic} was deleted, and is there`);
    if (partitions.length < promised.fewest || partitions.length > promised.most) {
      throw new BrokenPromise(`topic ${topic} has ${partitions.length} partitions`);
    }
    for (const [partition, found] of partitions.entries()) {
      const name = `${topic}-${partition}`;
      recordsHold(name, promised, partition, found);
      removalsHold(name, promised, partition, found);
      if (!promised.mayHaveGaps) isDense(name, found);
      nothingTwice(name, found);
    }
  }
  for (const topic of content.keys()) {
    if (!topics.has(topic) && topic !== PROBE) throw new BrokenPromise(`a topic ${topic} of nobody's`);
  }
}

/** Everything of before is there, but for what may have gone since. */
export function mustContain({ topics }: Transcript, content: Content, earlier: Content, what: string): void {
  for (const [topic, partitions] of earlier) {
    for (const [partition, { offsets, ids }] of partitions.entries()) {
      const now = content.get(topic)?.[partition];
      if (now === undefined) throw new BrokenPromise(`${topic}-${partition} is gone, ${what}`);
      for (const [at, id] of ids.entries()) {
        const offset = offsets[at]!;
        const there = idAt(now, offset);
        if (there === id) continue;
        if (there === undefined && mayBeGone(topics.get(topic), partition, offset, id, now)) continue;
        throw new BrokenPromise(`${topic}-${partition} has ${there} at ${offset}, not ${id}: ${what}`);
      }
    }
  }
}

function recordsHold(name: string, promised: PromisedTopic, partition: number, found: PartitionContent): void {
  for (const { offset, id, line } of promised.records.get(partition) ?? []) {
    const there = idAt(found, offset);
    if (there === id) continue;
    if (there !== undefined) throw new BrokenPromise(`exchanged: "${line}", and there is ${there}`);
    if (mayBeGone(promised, partition, offset, id, found)) continue;
    throw new BrokenPromise(`lost: "${line}", ${name} has ${found.ids.length}`);
  }
}

/** Whether something that was promised to be taken away may have taken the record. */
function mayBeGone(
  promised: PromisedTopic | undefined,
  partition: number,
  offset: number,
  id: string,
  now: PartitionContent,
): boolean {
  if (promised === undefined) return false;
  if (offset < (promised.mayBeTrimmed.get(partition) ?? 0)) return true;
  const key = keyOf(id);
  if (key !== undefined && promised.mayBeErased.has(key)) return true;
  if (key !== undefined && promised.compacts && (lastOfKeys(now).get(key) ?? -1) > offset) return true;
  return promised.retentionBytes !== undefined && isOld(promised, partition, offset, promised.retentionBytes);
}

/** What is retained is counted with the records that a judge has written since, and with all that is around a value. */
function isOld(promised: PromisedTopic, partition: number, offset: number, retentionBytes: number): boolean {
  let bytes = PROBE_BYTES;
  for (const other of promised.records.get(partition) ?? []) {
    if (other.offset > offset) bytes += (payloadOf(other.id)?.value.length ?? 0) + MOST_AROUND_A_VALUE;
  }
  return bytes > retentionBytes;
}

function removalsHold(name: string, promised: PromisedTopic, partition: number, found: PartitionContent): void {
  const { offsets, ids } = found;
  const trimmed = promised.isTrimmed.get(partition) ?? 0;
  if (offsets.length > 0 && offsets[0]! < trimmed) {
    throw new BrokenPromise(`${name} was trimmed to ${trimmed}, and has offset ${offsets[0]}`);
  }
  const compacted = promised.isCompacted.get(partition) ?? 0;
  const seen = new Map<string, number>();
  for (const [at, id] of ids.entries()) {
    const key = keyOf(id);
    if (key === undefined || isProbe(id)) continue;
    if (promised.isErased.has(key)) throw new BrokenPromise(`${name}: ${key} was erased, and ${id} is there`);
    if (offsets[at]! >= compacted) continue;
    const earlier = seen.get(key);
    if (earlier !== undefined) {
      throw new BrokenPromise(`${name} was compacted to ${compacted}, and has ${key} at ${earlier} and ${offsets[at]}`);
    }
    seen.set(key, offsets[at]!);
  }
}

function isDense(name: string, { offsets }: PartitionContent): void {
  for (let at = 1; at < offsets.length; at++) {
    if (offsets[at] === offsets[0]! + at) continue;
    throw new BrokenPromise(`${name} has offset ${offsets[at]} where ${offsets[0]! + at} was expected`);
  }
}

function nothingTwice(name: string, { ids }: PartitionContent): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id) && !isProbe(id)) throw new BrokenPromise(`${name} has ${id} twice`);
    seen.add(id);
  }
}

function isProbe(id: string): boolean {
  return id.startsWith(`c${PROBE_WRITER}.`);
}
