import type { Command } from 'commander';
import { addHiddenAliases, type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import { namedTopic } from '../perf/perf-topic.js';
import { type PerfProduceOptions, runPerfProduce } from '../perf/run-perf-produce.js';
import { parseDelimiter } from '../record-format/escapes.js';
import { parseCount } from '../values/parse-count.js';
import { parseDuration } from '../values/parse-duration.js';
import { parseSize } from '../values/parse-size.js';
import {
  addIntervalOptions,
  addMetricsOption,
  addPerfTopicOptions,
  addRecordSizeOption,
  addSendOptions,
} from './perf-options.js';

export function definePerfProduce(perf: Command, host: CommandHost): void {
  const command = describeCommand(perf.command('produce').argument('[topic]'), {
    summary: 'how fast records are written, and how soon they are acknowledged',
    description: `Writes records as fast as they go, or at a rate, and measures each from the moment it is handed over to its acknowledgement, which by default means that it is on the disk. At full speed records queue up, and that is what their latency shows: give --throughput to see that of records which do not.

Without a topic it makes one of its own in the directory of the log and deletes it afterwards, unless --keep. A topic that is named is made if it is not there, and stays, as with kafka-producer-perf-test. Ctrl-C ends it with the figures up to then.

Values are capital letters, the same in each run. Partitions take turns, a batch's worth each. MB are of 1024 × 1024 bytes, of values only, as in Kafka's tools; latencies are in milliseconds, percentiles within 3.2 %.`,
    examples: [
      { command: 'klog perf produce', does: 'a million records of 100 bytes, nothing is left behind' },
      { command: 'klog perf produce --throughput 1000 --num-records 10000', does: 'latency at 1,000 records a second' },
      {
        command: 'klog perf produce orders --num-records 100000 --payload-file orders.jsonl -z zstd',
        does: 'the lines of a file, in turn, into a topic that stays',
      },
      { command: 'klog perf produce --acks written --json | jq .latencyMs', does: 'without waiting for the disk' },
    ],
    json: 'one object: test, topic, partitions, records, bytes, elapsedMs, recordsPerSecond, mbPerSecond, interrupted, acks, latencyMs, histogram',
  });
  const count = valueOption('-n, --num-records <n>', 'how many (default: 1000000)', parseCount);
  command.addOption(count);
  addHiddenAliases(command, count, '--messages <n>', '--count <n>', '--num <n>');
  addRecordSizeOption(command, 'bytes of each value (default: 100)');
  command.option('--payload-file <path>', 'values from this file, in turn; - for standard input');
  command.addOption(
    valueOption('--payload-delimiter <bytes>', 'what ends a value there (default: \\n)', (text) =>
      parseDelimiter(text, '--payload-delimiter'),
    ),
  );
  command.option('--payload-monotonic', 'values are 0, 1, 2, …');
  addSendOptions(command);
  command.addOption(
    valueOption('--linger <duration>', 'the longest a record waits for others (default: 5ms)', parseDuration),
  );
  const batch = valueOption('--batch-bytes <size>', 'the size of a batch (default: 1M)', (text) =>
    parseCount(String(parseSize(text))),
  );
  command.addOption(batch);
  addHiddenAliases(command, batch, '--batch-size <size>');
  command.option(
    '--producer-props <name=value...>',
    "the same by Kafka's names: acks linger.ms batch.size compression.type",
  );
  addPerfTopicOptions(command);
  addIntervalOptions(command);
  addMetricsOption(command);
  onAction<PerfProduceOptions>(command, host, (options, [topic]) =>
    runPerfProduce({ ...options, topic: namedTopic(options, topic as string | undefined) }, host.context),
  );
}
