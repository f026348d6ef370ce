import type { Command } from 'commander';
import { addHiddenAliases, type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import { addIsolationOption } from '../consume/isolation-level.js';
import { namedTopic } from '../perf/perf-topic.js';
import { type PerfConsumeOptions, runPerfConsume } from '../perf/run-perf-consume.js';
import { parseCount } from '../values/parse-count.js';
import { parseDuration } from '../values/parse-duration.js';
import { parseSize } from '../values/parse-size.js';
import { addIntervalOptions, addMetricsOption, addPerfTopicOptions, addRecordSizeOption } from './perf-options.js';

export function definePerfConsume(perf: Command, host: CommandHost): void {
  const command = describeCommand(perf.command('consume').argument('[topic]'), {
    summary: 'how fast records are read',
    description: `Reads the records of a topic, looks at each and prints none: from the start to the end found when it began, or with --from-latest what comes from now on, until nothing has come for --timeout. The latency is that of a batch, from asking for it to having it.

Without a topic it makes one of its own, fills it, measures, and deletes it, unless --keep: what is read has just been written then, and comes from the page cache, not from the disk. Ctrl-C ends it with the figures up to then. Exit code 5: with --timeout or --from-latest, fewer came than --messages asks for.

MB are of 1024 × 1024 bytes, of keys and values, as in Kafka's tools; latencies are in milliseconds, percentiles within 3.2 %.`,
    examples: [
      { command: 'klog perf consume', does: 'a million records of 100 bytes, nothing is left behind' },
      { command: 'klog perf consume orders', does: 'all of a topic' },
      {
        command: 'klog perf consume orders --from-latest --show-detailed-stats --reporting-interval 1s',
        does: 'what comes, a row each second',
      },
      { command: 'klog perf consume orders --messages 100000 --json', does: 'the first 100,000, for a program' },
    ],
    json: 'one object: test, topic, partitions, records, bytes, elapsedMs, recordsPerSecond, mbPerSecond, interrupted, latencyMs, histogram',
  });
  const count = valueOption(
    '-n, --messages <n>',
    'so many at most (default: all; of a topic of its own 1000000)',
    parseCount,
  );
  command.addOption(count);
  addHiddenAliases(command, count, '--num-records <n>', '--max-messages <n>', '--count <n>', '--num <n>');
  command.option('--from-latest', 'only what comes from now on');
  command.addOption(
    valueOption(
      '--timeout <duration>',
      'wait so long for another record (default: not at all; with --from-latest 10s)',
      parseDuration,
    ),
  );
  command.addOption(
    valueOption('--fetch-size <size>', 'bytes read at a time (default: 1M)', (text) =>
      parseCount(String(parseSize(text))),
    ),
  );
  addRecordSizeOption(command, 'bytes of each value of a topic of its own (default: 100)');
  addIsolationOption(command);
  addPerfTopicOptions(command);
  addIntervalOptions(command);
  addMetricsOption(command);
  onAction<PerfConsumeOptions>(command, host, (options, [topic]) =>
    runPerfConsume({ ...options, topic: namedTopic(options, topic as string | undefined) }, host.context),
  );
}
