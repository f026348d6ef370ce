import { type Command, Option } from 'commander';
import { KlogError } from '../../errors.js';
import { validateTopicName } from '../../format/topic-name.js';
import { addHelpSection, type HelpSection, valueOption } from '../command-host.js';
import type { PrintOptions } from '../consume/print-options.js';
import { refuseInternal } from '../internal-topics.js';
import { exclude, need } from '../option-errors.js';
import { parseCount, parseNumberOfRecords } from '../values/parse-count.js';
import { parseDuration } from '../values/parse-duration.js';

/** Records through a command: the options of consume and replay. */
export interface HandlerOptions {
  /** Run once a record. */
  readonly exec?: string;
  /** Run once for all records. */
  readonly execBatch?: string;
  readonly retries?: number;
  /** Milliseconds. */
  readonly execTimeout?: number;
  readonly maxInFlight?: number;
  readonly onFailure?: 'stop' | 'skip';
  /** A topic. */
  readonly dlq?: string;
}

/** What a command of `--exec` finds in its environment. */
const VARIABLES: HelpSection['rows'] = [
  ['KLOG_RECORD_TOPIC', 'the topic'],
  ['KLOG_RECORD_PARTITION', 'the partition, from 0'],
  ['KLOG_RECORD_OFFSET', 'the offset'],
  ['KLOG_RECORD_TIMESTAMP', 'milliseconds since 1970'],
  ['KLOG_RECORD_KEY', 'the key; not there when it is null or no text'],
  ['KLOG_RECORD_KEY_BASE64', 'the key, whatever it is; not there when it is null'],
  ['KLOG_RECORD_HEADERS', 'as JSON: [{"key":"h","value":"x"}]; bytes that are no text as valueBase64'],
];

export function addHandlerOptions(command: Command): void {
  addHelpSection(command, { title: 'The environment of --exec', rows: VARIABLES });
  command.option(
    '--exec <command>',
    'run by sh -c for each record: its value on stdin, KLOG_RECORD_* in the environment; exit code 0 acknowledges',
  );
  command.option(
    '--exec-batch <command>',
    'run by sh -c for all records: they come on its stdin as -f or -J says; for each it writes one line, ok (or ok TOPIC:PARTITION@OFFSET) or why not',
  );
  command.addOption(
    valueOption('--retries <n>', 'how often a failed record is tried again (default: 3)', parseNumberOfRecords),
  );
  command.addOption(valueOption('--exec-timeout <duration>', 'longest time for one record', parseDuration));
  command.addOption(
    valueOption(
      '--max-in-flight <n>',
      'records handled at the same time; those of one key, or keyless ones of one partition, keep their order; commits wait for the slowest (default: 1)',
      parseCount,
    ),
  );
  command.addOption(
    new Option('--on-failure <what>', 'stop (default) or skip, when a record has failed for good').choices([
      'stop',
      'skip',
    ]),
  );
  command.option(
    '--dlq <topic>',
    'records that have failed for good go to this topic before they count as done; headers tell where from, and why',
  );
}

export function hasHandler({ exec, execBatch }: HandlerOptions): boolean {
  return exec !== undefined || execBatch !== undefined;
}

/** Finds what is wrong with them before a log is looked for. KLOG_USAGE, INVALID_TOPIC_EXCEPTION. */
export function checkHandler(options: HandlerOptions & PrintOptions): void {
  const { exec, execBatch, dlq } = options;
  if (!hasHandler(options)) {
    const ofHandlers = { '--on-failure': options.onFailure, '--dlq': dlq, '--max-in-flight': options.maxInFlight };
    const others = { '--retries': options.retries, '--exec-timeout': options.execTimeout };
    for (const [flag, value] of Object.entries({ ...ofHandlers, ...others })) {
      if (value !== undefined) need(flag, '--exec or --exec-batch');
    }
    return;
  }
  if (exec !== undefined && execBatch !== undefined) exclude('--exec', '--exec-batch');
  // Whether a command is quicker than nothing at all is left to chance.
  if (options.execTimeout === 0) throw new KlogError('KLOG_USAGE', '--exec-timeout leaves a command no time');
  // `sh -c ''` would acknowledge everything.
  if ((exec ?? execBatch)!.trim() === '') {
    throw new KlogError(
      'KLOG_USAGE',
      `${exec === undefined ? '--exec-batch' : '--exec'} names no command: it is empty`,
    );
  }
  if (dlq !== undefined) {
    if (options.onFailure !== undefined) exclude('--on-failure', '--dlq');
    validateTopicName(dlq);
    refuseInternal(dlq, false, 'write failed records to');
  }
  if (exec !== undefined) refuseFormat(options);
}

/** What fails there would come round again. */
export function refuseOwnLetters({ dlq }: HandlerOptions, isRead: (topic: string) => boolean): void {
  if (dlq === undefined || !isRead(dlq)) return;
  throw new KlogError('KLOG_USAGE', `--dlq: '${dlq}' is read itself: what fails would come round again`);
}

/** With `--exec` the value is all there is on standard input. */
function refuseFormat(options: PrintOptions): void {
  const formats: Readonly<Record<string, unknown>> = {
    '-f': options.format,
    '-J': options.jsonRecords,
    '-K': options.keySeparator,
    '-D': options.delimiter,
    '-0': options.null,
  };
  for (const [flag, value] of Object.entries(formats)) {
    if (value !== undefined) exclude('--exec', `${flag}, which is for --exec-batch`);
  }
}
