import type { Client, ConsumerBatch } from '../../clients/client.js';
import type { ConsumerOptions } from '../../clients/consumer.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import type { CliContext } from '../cli-context.js';
import { counted, printJson } from '../listing.js';
import { escapeLine } from '../terminal-text.js';

/** What a replay would go through. */
export interface PartitionPlan {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly firstTimestamp: number;
  readonly lastTimestamp: number;
}

export async function planOf(
  client: Client,
  range: ConsumerOptions,
  isWanted: ((cursor: RecordCursor, batch: ConsumerBatch) => boolean) | undefined,
  maxRecords = Number.POSITIVE_INFINITY,
): Promise<PartitionPlan[]> {
  const plans = new Map<string, PartitionPlan>();
  let records = 0;
  const consumer = client.consumer(range);
  try {
    for await (const batch of consumer.batches()) {
      const { topic, partition, cursor } = batch;
      const name = `${topic}-${partition}`;
      while (records < maxRecords && cursor.next()) {
        if (isWanted !== undefined && !isWanted(cursor, batch)) continue;
        records += 1;
        const { offset, timestamp } = cursor;
        const before = plans.get(name);
        plans.set(name, {
          topic,
          partition,
          records: (before?.records ?? 0) + 1,
          firstOffset: before?.firstOffset ?? offset,
          lastOffset: offset,
          firstTimestamp: Math.min(before?.firstTimestamp ?? timestamp, timestamp),
          lastTimestamp: Math.max(before?.lastTimestamp ?? timestamp, timestamp),
        });
      }
      if (records >= maxRecords) break;
    }
  } finally {
    await consumer.close();
  }
  return [...plans.values()];
}

interface PlanTarget {
  readonly topic: string;
  readonly into?: string;
  readonly exec?: string;
  readonly execBatch?: string;
  readonly json: boolean;
}

export function printPlan(plans: readonly PartitionPlan[], target: PlanTarget, context: CliContext): void {
  const exec = target.exec ?? target.execBatch;
  const otherwise = exec === undefined ? 'print' : `run '${exec}'`;
  const to = target.into === undefined ? otherwise : `into '${target.into}'`;
  if (target.json) {
    const { topic, into } = target;
    printJson(context, {
      topic,
      ...(into === undefined ? {} : { into }),
      ...(exec === undefined ? {} : { exec }),
      partitions: plans,
    });
    return;
  }
  const records = plans.reduce((sum, plan) => sum + plan.records, 0);
  context.stdout.appendText(
    `would replay ${counted(records, 'record')} of '${escapeLine(target.topic)}': ${escapeLine(to)}\n`,
  );
  for (const plan of plans) {
    const times = `${isoTime(plan.firstTimestamp)} to ${isoTime(plan.lastTimestamp)}`;
    context.stdout.appendText(
      `${plan.topic}:${plan.partition}\t${counted(plan.records, 'record')}\toffsets ${plan.firstOffset} to ${plan.lastOffset}\t${times}\n`,
    );
  }
}

function isoTime(timestamp: number): string {
  const date = new Date(timestamp);
  return timestamp < 0 || Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString();
}
