import type { ConsumerBatch } from '../../clients/client.js';
import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';
import type { CliContext } from '../cli-context.js';
import { type IsolationOptions, isolationLevelOf } from '../consume/isolation-level.js';
import { type PrintOptions, printerFor } from '../consume/print-options.js';
import { filterFor } from '../consume/record-filter.js';
import { checkSelection, type SelectionOptions, selectRecords, timeContext } from '../consume/record-selection.js';
import type { ExitCode } from '../exit-code.js';
import type { GlobalOptions } from '../global-options.js';
import { inputBytes } from '../input-bytes.js';
import { printJson } from '../listing.js';
import { withClient } from '../open-client.js';
import { exclude } from '../option-errors.js';
import { batchFilter } from '../replay/transfer-options.js';
import { parsePartitionOperand } from '../values/parse-partition.js';
import { readUntil, topicComes } from '../wait/awaited-records.js';
import { Deadline } from '../wait/deadline.js';
import { CountExpectation, type Expectation, FileExpectation } from './expectation.js';

export interface ExpectOptions
  extends GlobalOptions,
    PrintOptions,
    IsolationOptions,
    Omit<SelectionOptions, 'topics' | 'regex'> {
  /** `T`, `T:P`. */
  readonly topic: string;
  readonly maxMessages?: number;
  /** A path; `-` is standard input. */
  readonly file?: string;
  /** Each record has to fulfil them. */
  readonly filter?: readonly string[];
  /** Only records that match are looked at. */
  readonly grep?: readonly string[];
  /** Milliseconds. Default: what is there now. */
  readonly timeout?: number;
  readonly json: boolean;
}

/**
 * Holds records against what is expected. KLOG_TIMED_OUT: too few in time; KLOG_CONDITION_FAILED: the first that
 * differs, or one too many.
 */
export async function runExpect(options: ExpectOptions, context: CliContext): Promise<ExitCode> {
  const { topic } = parsePartitionOperand(options.topic, timeContext(options, context));
  validateTopicName(topic);
  checkSelection({ ...options, topics: [options.topic] }, context);
  const expectation = await expectationFor(options, context);
  if (expectation === undefined) return 0;
  const isLookedAt = batchFilter(await filterFor(options.grep === undefined ? {} : { grep: options.grep }));
  const isolationLevel = await isolationLevelOf(options, context);
  const { signal } = context.signals;
  using deadline = new Deadline(options.timeout ?? 0);
  const nothing = (): ExitCode => {
    if (signal.aborted) return 0;
    throw tooLittle(expectation.missing(), topic, deadline);
  };
  const waiting = { wait: { signal, timeoutMs: options.timeout }, ifMissing: nothing };
  const request = { topics: [topic], ...(options.timeout === undefined ? {} : waiting) };
  // Awaited: the deadline ends with this function.
  return await withClient<ExitCode>(options, context, request, async (client) => {
    if (options.timeout !== undefined && !(await topicComes(client, topic, { signal, deadline }))) return nothing();
    const selection = await selectRecords(client, { ...options, topics: [options.topic] }, context);
    let records = 0;
    const look = (batch: ConsumerBatch) => {
      const { cursor } = batch;
      while (cursor.next()) {
        if (isLookedAt !== undefined && !isLookedAt(cursor, batch)) continue;
        records += 1;
        const problem = expectation.take(cursor, batch);
        if (problem !== undefined) throw different(problem, batch);
      }
      return false;
    };
    const isMet = await readUntil(
      { client, options: { ...selection, isolationLevel }, signal, deadline },
      look,
      () => expectation.isMet,
    );
    if (!isMet) return nothing();
    if (options.json) printJson(context, { topic, records, elapsedMs: Math.round(deadline.elapsedMs) });
    return 0;
  });
}

/** Undefined: a signal came before all of the file. */
async function expectationFor(options: ExpectOptions, context: CliContext): Promise<Expectation | undefined> {
  const { file, filter, maxMessages } = options;
  if (file === undefined) {
    return new CountExpectation(maxMessages, await filterFor(filter === undefined ? {} : { filter }));
  }
  if (maxMessages !== undefined) exclude('--file', '-n');
  if (filter !== undefined) exclude('--file', '--filter');
  const printer = await printerFor(options, context, false);
  const read = await inputBytes(file, context);
  return read && new FileExpectation(read.bytes, printer);
}

function different(problem: string, { topic, partition, cursor }: ConsumerBatch): KlogError {
  const { offset } = cursor;
  return new KlogError('KLOG_CONDITION_FAILED', `${problem} at ${topic}:${partition}@${offset}`, {
    topic,
    partition,
    offset,
  });
}

function tooLittle(missing: string, topic: string, { timeoutMs }: Deadline): KlogError {
  const waited = timeoutMs === 0 ? '' : `waited ${timeoutMs} ms: `;
  return new KlogError('KLOG_TIMED_OUT', `${waited}${missing} in '${topic}'`, { topic });
}
