import type { Client, ConsumerBatch } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import { BatchHandler } from '../../handlers/batch-handler.js';
import { CommandHandler, type CommandOptions } from '../../handlers/command-handler.js';
import {
  type FinalFailure,
  type HandledCounts,
  type HandleOptions,
  RecordHandling,
} from '../../handlers/handle-records.js';
import type { HandledRecord, Handler } from '../../handlers/handler.js';
import { DEFAULT_RETRIES } from '../../handlers/retries.js';
import type { CliContext } from '../cli-context.js';
import { type PrintOptions, printerFor } from '../consume/print-options.js';
import type { RecordFilter } from '../consume/print-records.js';
import { counted } from '../listing.js';
import { detail, type Loudness, notice } from '../notices.js';
import { describeBatch, emptyContext } from '../record-format/format-context.js';
import { OutputBuffer } from '../record-format/output-buffer.js';
import type { RecordPrinter } from '../record-format/record-printer.js';
import { batchFilter } from '../replay/transfer-options.js';
import { DeadLetters } from './dead-letters.js';
import type { HandlerOptions } from './handler-options.js';
import { keepStandardErrorBlocking } from './inherited-output.js';
import { inputFile } from './input-file.js';
import { processGroupLives } from './process-group-lives.js';

export interface HandlerTask {
  readonly client: Client;
  readonly filter?: RecordFilter | undefined;
  readonly maxRecords?: number | undefined;
  readonly commit?: HandleOptions['commit'];
  /** Aborted when a record stops everything: it shall end the batches. */
  readonly stop: AbortController;
}

/** Records on their way through `--exec` or `--exec-batch`. */
export interface HandlerRun {
  readonly handling: RecordHandling;
  /** Answers how many; KLOG_HANDLER_FAILED when one stopped it. Says how many were handled. */
  run(batches: AsyncIterable<ConsumerBatch>): Promise<HandledCounts>;
}

export async function handlerRun(
  task: HandlerTask,
  options: HandlerOptions & PrintOptions & Loudness,
  context: CliContext,
): Promise<HandlerRun> {
  const { client, commit, maxRecords, stop } = task;
  const { dlq } = options;
  const letters = dlq === undefined ? undefined : new DeadLetters(client, dlq, options, context);
  const counts: HandledCounts = { handled: 0, givenUp: 0, taken: 0 };
  const { handler, inputOf } = await handlerFor(options, context);
  const elsewhere = dlq === undefined ? 'skipped' : `now in '${dlq}'`;
  const handling = new RecordHandling(
    {
      handler,
      inputOf,
      retries: options.retries ?? DEFAULT_RETRIES,
      maxInFlight: options.maxInFlight ?? 1,
      isWanted: batchFilter(task.filter),
      maxRecords,
      commit,
      signal: context.signals.signal,
      stop,
      onRetry: ({ topic, partition, offset }, reason, attempts, pauseMs) =>
        detail(options, context, `${topic}:${partition}@${offset}: ${reason}: try ${attempts + 1} in ${pauseMs} ms`),
      giveUp: async (record, failure) => {
        const error = handlerError(handler, record, failure);
        if (letters === undefined && options.onFailure !== 'skip') throw error;
        await letters?.add(record, failure);
        notice(options, context, `${error.message}: ${elsewhere}`);
      },
    },
    counts,
  );
  const run = async (batches: AsyncIterable<ConsumerBatch>) => {
    let isDone = false;
    try {
      await handling.run(batches);
      isDone = true;
    } finally {
      await letters?.close();
      const { handled, givenUp, taken } = counts;
      const others = givenUp === 0 ? '' : `, ${givenUp} ${elsewhere}`;
      // A topic that is not there is all there is to tell.
      if (isDone || taken > 0) notice(options, context, `${counted(handled, 'record')} handled${others}`);
    }
    return counts;
  };
  return { handling, run };
}

export interface HandlerSource extends Omit<HandlerTask, 'stop' | 'commit'> {
  /** Begins to read; `signal` ends it. */
  readonly open: (signal: AbortSignal) => { readonly batches: AsyncIterable<ConsumerBatch>; close(): Promise<void> };
}

/** Gives records to `--exec` or `--exec-batch`, and remembers nothing. */
export async function runHandlers(
  source: HandlerSource,
  options: HandlerOptions & PrintOptions & Loudness,
  context: CliContext,
): Promise<HandledCounts> {
  const stop = new AbortController();
  const { run } = await handlerRun({ ...source, stop }, options, context);
  const { batches, close } = source.open(AbortSignal.any([context.signals.signal, stop.signal]));
  try {
    return await run(batches);
  } finally {
    await close();
  }
}

async function handlerFor(
  options: HandlerOptions & PrintOptions,
  context: CliContext,
): Promise<{ readonly handler: Handler; readonly inputOf?: HandleOptions['inputOf'] }> {
  const { exec, execBatch, execTimeout } = options;
  const { signals, env } = context;
  keepStandardErrorBlocking();
  const shared: Omit<CommandOptions, 'command'> = {
    timeoutMs: execTimeout,
    env,
    signal: signals.signal,
    stopSignal: () => signals.received ?? 'SIGTERM',
    groupLives: processGroupLives,
    inputFile,
  };
  if (execBatch === undefined) return { handler: new CommandHandler({ ...shared, command: exec ?? '' }) };
  const printer = await printerFor(options, context, false);
  const head = new OutputBuffer(1024);
  printer.begin?.(head);
  const preamble = Buffer.from(head.view());
  return { handler: new BatchHandler({ ...shared, command: execBatch, preamble }), inputOf: printedBy(printer) };
}

function printedBy(printer: RecordPrinter): NonNullable<HandleOptions['inputOf']> {
  const place = emptyContext();
  const out = new OutputBuffer();
  return (cursor, batch) => {
    describeBatch(batch, place);
    place.recordNumber += 1;
    out.clear();
    printer.print(cursor, place, out);
    return Buffer.from(out.view());
  };
}

function handlerError(handler: Handler, record: HandledRecord, { reason, attempts }: FinalFailure): KlogError {
  const { topic, partition, offset } = record;
  const times = attempts === 1 ? '' : ` (${attempts} tries)`;
  return new KlogError(
    'KLOG_HANDLER_FAILED',
    `'${handler.name}' failed on ${topic}:${partition}@${offset}: ${reason}${times}`,
    { topic, partition, offset },
  );
}
