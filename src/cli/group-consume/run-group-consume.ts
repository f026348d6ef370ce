import type { Client, TopicPartition } from '../../clients/client.js';
import type { GroupConsumer, GroupConsumerOptions, OffsetToCommit } from '../../clients/group-consumer.js';
import type { CliContext } from '../cli-context.js';
import type { RecordFilter } from '../consume/print-records.js';
import { RecordPrinting } from '../consume/print-records.js';
import type { ConsumeOptions } from '../consume/run-consume.js';
import { handlerRun } from '../handlers/run-handlers.js';
import type { RecordPrinter } from '../record-format/record-printer.js';
import { committingMeanwhile } from './commit-timer.js';
import { commitModeOf } from './group-options.js';
import { Membership } from './membership.js';
import { oneByOne } from './one-by-one.js';

export { subscriptionOf } from './subscription.js';

export interface GroupReading {
  readonly client: Client;
  readonly groupId: string;
  readonly options: Omit<GroupConsumerOptions, 'group' | 'signal'>;
  readonly filter: RecordFilter | undefined;
  /** Aborts when the user, or the reader of the output, has had enough. */
  readonly signal: AbortSignal;
}

/** Prints records, or gives them to a handler. Answers how many. */
export function readAsMember(
  reading: GroupReading,
  printer: RecordPrinter | undefined,
  options: ConsumeOptions,
  context: CliContext,
): Promise<number> {
  return printer === undefined
    ? handleAsMember(reading, options, context)
    : printAsMember(reading, printer, options, context);
}

/** Prints records as a member of a group, and commits what was written out. Answers how many were printed. */
async function printAsMember(
  reading: GroupReading,
  printer: RecordPrinter,
  options: ConsumeOptions,
  context: CliContext,
): Promise<number> {
  const { client, groupId, filter } = reading;
  const { stdout } = context;
  const mode = commitModeOf(options);
  const stop = new AbortController();
  const signal = AbortSignal.any([reading.signal, stop.signal]);
  const printing: RecordPrinting = new RecordPrinting({
    printer,
    output: stdout,
    filter,
    maxRecords: options.maxMessages,
    remembersPlaces: true,
    afterEach: mode === 'each' ? () => commitPrinted() : undefined,
  });
  const member = new Membership(
    {
      client,
      groupId,
      options: { ...reading.options, signal },
      commitsNothing: mode === 'none',
      release: async (partitions, consumer) => {
        // From here on only what is answered here is committed of them.
        for (const partition of partitions) printing.forget(partition);
        const offsets = (await Promise.all(partitions.map((one) => comeTo(one, printing, consumer)))).flat();
        const isWritten = await printing.flush().then(
          () => !stdout.isClosed,
          // Whoever prints is told of it as well.
          () => false,
        );
        return isWritten ? offsets : [];
      },
      lost: (partitions) => {
        for (const partition of partitions) printing.forget(partition);
      },
    },
    options,
    context,
  );
  const commitPrinted = async () => {
    const offsets = printing.printed;
    await printing.flush();
    // What the reader did not take is still to be read.
    if (stdout.isClosed) return;
    for (const place of offsets) if (printing.knows(place)) member.commits.put(place);
    await member.commits.flush();
  };
  const run = () => untilClosed(member.consumer, () => printing.run(member.consumer.batches()));
  const printed = mode === 'none' ? await run() : await committingMeanwhile(commitPrinted, stop, run);
  const { maxMessages = Number.POSITIVE_INFINITY } = options;
  if (!signal.aborted && !stdout.isClosed && printed < maxMessages) member.reportOthers();
  return printed;
}

/** Gives records to a handler as a member of a group, and commits what it has acknowledged. Answers how many it got. */
async function handleAsMember(reading: GroupReading, options: ConsumeOptions, context: CliContext): Promise<number> {
  const { client, groupId, filter } = reading;
  const mode = commitModeOf(options);
  const stop = new AbortController();
  const signal = AbortSignal.any([reading.signal, stop.signal]);
  const task = { client, filter, maxRecords: options.maxMessages, stop, commit: mode === 'none' ? undefined : commit };
  const run = await handlerRun(task, options, context);
  const member = new Membership(
    {
      client,
      groupId,
      options: { ...reading.options, signal },
      commitsNothing: mode === 'none',
      // What was acknowledged has been given to the commits by then.
      release: async (partitions) => {
        await run.handling.release(partitions);
        return [];
      },
      lost: (partitions) => run.handling.forget(partitions),
    },
    options,
    context,
  );
  async function commit(place: TopicPartition, offset: number, isDropped: boolean): Promise<void> {
    const { topic, partition } = place;
    member.commits.put({ topic, partition, offset });
    if (mode === 'each' && !isDropped) await member.commits.flush();
  }
  const handle = () => untilClosed(member.consumer, () => run.run(oneByOne(member.consumer)));
  const { taken } =
    mode === 'none' ? await handle() : await committingMeanwhile(() => member.commits.flush(), stop, handle);
  const { maxMessages = Number.POSITIVE_INFINITY } = options;
  if (!signal.aborted && taken < maxMessages) member.reportOthers();
  return taken;
}

/** Whatever happens it leaves the group, with the last commit. */
async function untilClosed<T>(consumer: GroupConsumer, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // Why it ended says more than what then goes wrong with leaving.
    await consumer.close().catch(() => {});
    throw error;
  }
  await consumer.close();
  return result;
}

/**
 * Of a partition that is let go of nothing more comes, so that all that was handed out was printed, but for a batch in
 * hand.
 */
async function comeTo(
  { topic, partition }: TopicPartition,
  { inHand }: RecordPrinting,
  consumer: GroupConsumer,
): Promise<OffsetToCommit[]> {
  if (inHand === undefined || inHand.topic !== topic || inHand.partition !== partition) {
    return [{ topic, partition, offset: await consumer.position({ topic, partition }) }];
  }
  const { offset } = inHand;
  return offset === undefined ? [] : [{ topic, partition, offset }];
}
