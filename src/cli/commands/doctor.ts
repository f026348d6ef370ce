import type { Command } from 'commander';
import { type CommandHost, describeCommand, onAction } from '../command-host.js';
import { type DoctorOptions, runDoctor } from '../doctor/run-doctor.js';

export function defineDoctor(doctor: Command, host: CommandHost): void {
  const command = describeCommand(doctor, {
    summary: 'check the machine and the log',
    description: [
      'Looks at what klog needs (Node, native locks and checksums, limits, the clock), at the directory (file system, space, permissions, version), at who holds which lock, at what was interrupted, and at the log itself. Each line is ok, warn or fail, with what to do. Nothing is changed.',
      'Of a log of more than 512 MiB only the end of each partition is read, unless --full. Exit code 7: the log is damaged, and the first bad byte is named; 1: something else fails.',
    ].join('\n\n'),
    examples: [
      { command: 'klog doctor', does: 'of the nearest log' },
      {
        command: 'klog doctor --json | jq ".checks[] | select(.verdict != \\"ok\\")"',
        does: 'what is not as it should be',
      },
    ],
    json: 'one document: ok, directory, checks: check, verdict, message, hint, and where damage is: topic, partition, file, position, offset',
  });
  command.option('--full', 'read all of the log, however large it is');
  onAction<DoctorOptions>(command, host, (options) => runDoctor(options, host.context));
}
