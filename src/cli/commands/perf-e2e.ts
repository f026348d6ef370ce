import type { Command } from 'commander';
import { KlogError } from '../../errors.js';
import { addHiddenAliases, type CommandHost, describeCommand, onAction, valueOption } from '../command-host.js';
import { namedTopic } from '../perf/perf-topic.js';
import { type PerfE2eOptions, runPerfE2e } from '../perf/run-perf-e2e.js';
import { parseCount } from '../values/parse-count.js';
import { addMetricsOption, addPerfTopicOptions, addRecordSizeOption, addSendOptions } from './perf-options.js';

export function definePerfE2e(perf: Command, host: CommandHost): void {
  const command = describeCommand(perf.command('e2e').argument('[topic]'), {
    summary: 'how soon a record that is sent is seen by a consumer',
    description: `Sends one record at a time and waits until it is acknowledged and a consumer that follows has it, as kafka-e2e-latency does. Consumers see what is on the disk: both latencies have a sync in them, whatever --acks says.

The consumer is in the same process; with --processes 2 it is a klog consume -F whose output comes back through a pipe. One record more is sent before the others, which opens all files and counts for nothing.

Without a topic it makes one of its own in the directory of the log and deletes it afterwards, unless --keep. A topic that is named is made if it is not there, and stays. Ctrl-C ends it with the figures up to then. Latencies are in milliseconds, percentiles within 3.2 %.`,
    examples: [
      { command: 'klog perf e2e', does: 'a thousand records of 100 bytes, nothing is left behind' },
      { command: 'klog perf e2e --processes 2 --throughput 100', does: 'a hundred a second, seen in another process' },
      { command: 'klog perf e2e orders -n 10000 --acks 1 --record-size 1K', does: 'into a topic that stays' },
      { command: "klog perf e2e --json | jq '.latencyMs.visible.p99'", does: 'one figure' },
    ],
    json: 'one object: test, topic, partitions, records, bytes, elapsedMs, interrupted, acks, processes; latencyMs and histogram of acknowledged and visible',
  });
  const count = valueOption('-n, --num-records <n>', 'how many (default: 1000)', parseCount);
  command.addOption(count);
  addHiddenAliases(command, count, '--messages <n>', '--num-messages <n>', '--count <n>', '--num <n>');
  addRecordSizeOption(command, 'bytes of each value (default: 100)');
  addSendOptions(command);
  command.addOption(valueOption('--processes <n>', '1, or 2: the consumer is in another (default: 1)', parseProcesses));
  addPerfTopicOptions(command);
  addMetricsOption(command);
  onAction<PerfE2eOptions>(command, host, (options, [topic]) =>
    runPerfE2e({ ...options, topic: namedTopic(options, topic as string | undefined) }, host.context),
  );
}

function parseProcesses(text: string): 1 | 2 {
  if (text === '1' || text === '2') return Number(text) as 1 | 2;
  throw new KlogError('KLOG_USAGE', `'${text}' is neither 1 nor 2`);
}
