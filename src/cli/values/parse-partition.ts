import type { OffsetSpec } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import { parseOffsetPoint } from './parse-offset.js';
import type { TimeContext } from './parse-time.js';

/** A topic, one of its partitions, or a place in it. */
export interface PartitionOperand {
  readonly topic: string;
  readonly partition?: number;
  readonly offset?: OffsetSpec;
}

/** `T`, `T:P`, `T:P@OFFSET`, `T@OFFSET`, and `T[P]` for `T:P`. No topic's name can hold `:`, `@` or `[`. */
export function parsePartitionOperand(text: string, time: TimeContext): PartitionOperand {
  const [, topic, plain, bracketed, offset] = /^([^:@[\]]+)(?::(\d{1,9})|\[(\d{1,9})\])?(?:@(.+))?$/.exec(text) ?? [];
  if (topic === undefined) {
    throw new KlogError('KLOG_USAGE', `'${text}' names no topic, partition or record`, {
      hint: 'They look like orders, orders:0, orders:0@42, orders@42',
    });
  }
  const partition = plain ?? bracketed;
  return {
    topic,
    ...(partition === undefined ? {} : { partition: Number(partition) }),
    ...(offset === undefined ? {} : { offset: parseOffsetPoint(offset, time) }),
  };
}

/** The partition that is meant where none was named. @param place how the first one would be named. KLOG_USAGE */
export function onlyPartition(topic: string, partitions: number, place: string): number {
  if (partitions === 1) return 0;
  throw new KlogError('KLOG_USAGE', `${topic} has ${partitions} partitions`, { topic, hint: `Name one, as ${place}` });
}

/** Far beyond what a directory holds, far below what a mistyped range would fill the memory with. */
const MAX_PARTITIONS = 100_000;

/** `0,1,4-7` → ascending, each once, with those of an option given before. */
export function parsePartitionList(text: string, before: readonly number[] = []): number[] {
  const partitions = new Set(before);
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first) || Number(last) - Number(first) >= MAX_PARTITIONS) {
      throw new KlogError('KLOG_USAGE', `'${text}' is no list of partitions`, { hint: 'Lists look like 0,1,4-7' });
    }
    for (let partition = Number(first); partition <= Number(last); partition++) partitions.add(partition);
  }
  return [...partitions].sort((a, b) => a - b);
}
