/** A group as tables: on a page all of them, or one alone with a row a line. */
import type { TopicPartition } from '../../clients/client.js';
import type { GroupDescription, GroupMemberDescription, GroupOffset } from '../../clients/group-admin.js';
import type { CliContext } from '../cli-context.js';
import { type Column, printTable } from '../listing.js';
import { totalLag } from './run-group-describe.js';

export type Section = 'summary' | 'members' | 'offsets';

export async function printGroup(group: GroupDescription, context: CliContext): Promise<void> {
  const summary: Summary[] = [
    ['group', group.groupId],
    ['state', group.state],
    ['members', group.members],
    ['assignor', group.protocol ?? '-'],
    ['generation', known(group.generation)],
    ['total lag', totalLag(group)],
  ];
  await printTable(context, SUMMARY_COLUMNS, summary, { asPage: true, noHeadings: true });
  if (group.memberDetails.length > 0) {
    context.stdout.appendText('\n');
    await printTable(context, MEMBER_COLUMNS, group.memberDetails, { asPage: true });
  }
  if (group.offsets.length === 0) return;
  context.stdout.appendText('\n');
  await printTable(context, OFFSET_COLUMNS, group.offsets, { asPage: true });
}

/** The group's id stands first: of several groups these are one table. */
export async function printSection(section: Section, group: GroupDescription, context: CliContext): Promise<void> {
  const ofGroup = { heading: 'GROUP', value: () => group.groupId };
  if (section === 'summary') await printTable(context, GROUP_COLUMNS, [group]);
  else if (section === 'members') await printTable(context, [ofGroup, ...MEMBER_COLUMNS], group.memberDetails);
  else await printTable(context, [ofGroup, ...OFFSET_COLUMNS], group.offsets);
}

type Summary = readonly [name: string, value: string | number];

const SUMMARY_COLUMNS: readonly Column<Summary>[] = [
  { heading: '', value: ([name]) => name },
  { heading: '', value: ([, value]) => value },
];

const GROUP_COLUMNS: readonly Column<GroupDescription>[] = [
  { heading: 'GROUP', value: ({ groupId }) => groupId },
  { heading: 'STATE', value: ({ state }) => state },
  { heading: 'MEMBERS', value: ({ members }) => members, align: 'right' },
  { heading: 'ASSIGNOR', value: ({ protocol }) => protocol ?? '-' },
  { heading: 'GENERATION', value: ({ generation }) => known(generation), align: 'right' },
  { heading: 'LAG', value: totalLag, align: 'right' },
];

const MEMBER_COLUMNS: readonly Column<GroupMemberDescription>[] = [
  { heading: 'MEMBER', value: ({ memberId }) => memberId },
  { heading: 'STATE', value: ({ state }) => state },
  { heading: 'PID', value: ({ pid }) => known(pid), align: 'right' },
  { heading: 'HOST', value: ({ host }) => host },
  { heading: 'ASSIGNED', value: ({ assigned }) => partitionsText(assigned) },
  { heading: 'RELEASING', value: ({ assigned, held }) => partitionsText(held.filter((one) => !has(assigned, one))) },
];

const OFFSET_COLUMNS: readonly Column<GroupOffset>[] = [
  { heading: 'TOPIC', value: ({ topic }) => topic },
  { heading: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  { heading: 'COMMITTED', value: ({ committedOffset }) => known(committedOffset), align: 'right' },
  { heading: 'LOG-END', value: ({ logEndOffset }) => known(logEndOffset), align: 'right' },
  { heading: 'LAG', value: ({ lag }) => known(lag), align: 'right' },
  { heading: 'AGE', value: ({ lagMs }) => ageText(lagMs), align: 'right' },
  { heading: 'MEMBER', value: ({ memberId }) => memberId ?? '-' },
  { heading: 'METADATA', value: ({ metadata }) => metadata || '-' },
];

function known(number: number): string | number {
  return number < 0 ? '-' : number;
}

function has(partitions: readonly TopicPartition[], { topic, partition }: TopicPartition): boolean {
  return partitions.some((one) => one.topic === topic && one.partition === partition);
}

/** `orders:0,1 payments:3` */
function partitionsText(partitions: readonly TopicPartition[]): string {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  return [...topics].map(([topic, numbers]) => `${topic}:${numbers.join(',')}`).join(' ') || '-';
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** The largest unit there is one of; - when it is not known, or nothing remains. */
function ageText(ms: number): string {
  if (ms <= 0) return '-';
  const [unit, size] = UNITS.find(([, each]) => ms >= each) ?? ['ms', 1];
  return `${Math.floor(ms / size)}${unit}`;
}
