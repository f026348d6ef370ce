import { type BenchCase, isInstalled, runCommands } from '../bench-case.js';
import type { BenchPart, PartResult } from '../bench-part.js';
import { highestDescriptor } from '../descriptors.js';
import { type Measured, medianOf, rawRuns, table, wallMs } from '../report.js';
import { atMost, type Verdict } from '../verdict.js';
import type { Workspace } from '../workspace.js';

/** Of short commands. */
const RUNS = 2;
const MANY_TOPICS = 10_000;
const FEW_TOPICS = 1000;
const MANY_PARTITIONS = 1000;
const MOST_DESCRIPTORS = 256;
const FEW_DESCRIPTORS = 64;
const MS_PER_PARTITION = 3;
const MS_PER_COMMAND = 1000;

const creatingTopics = (count: number) => `klog topic create of ${count} topics`;
const CREATING_PARTITIONS = `klog topic create -p ${MANY_PARTITIONS}`;

export const scale: BenchPart = {
  name: 'scale',
  question: `A directory with ${MANY_TOPICS} topics, and one with a topic of ${MANY_PARTITIONS} partitions.`,
  run(workspace, rounds): PartResult {
    const making = makingCases(workspace);
    const using = usingCases(workspace);
    const results = runCommands([...making, ...using], workspace, rounds);
    const wall = (title: string) => medianOf(results.find(({ of }) => of.title === title)!.runs, wallMs);
    const perTopic = wall(creatingTopics(MANY_TOPICS)) / MANY_TOPICS;
    const verdicts = [
      atMost('creating a topic, of 10,000 at once', MS_PER_PARTITION, perTopic, 'ms'),
      atMost('the same, beside one of 1,000 at once', 1.3, perTopic / (wall(creatingTopics(FEW_TOPICS)) / FEW_TOPICS)),
      atMost('creating a partition, of 1,000', MS_PER_PARTITION, wall(CREATING_PARTITIONS) / MANY_PARTITIONS, 'ms'),
      ...using.map(({ title }) => atMost(title, MS_PER_COMMAND, wall(title), 'ms')),
      ...descriptorVerdicts(workspace),
    ];
    return { shown: shown(results), raw: rawRuns(results), verdicts };
  },
};

function shown(results: readonly Measured[]): string {
  return `${table(results)}\n\nDescriptors are counted by strace: the highest that any call was given, and one. ${
    isInstalled('strace') ? '' : 'strace is not installed. '
  }`.trim();
}

function makingCases({ measured, klog, node }: Workspace): BenchCase[] {
  const create = (count: number, directory: string): BenchCase => ({
    title: creatingTopics(count),
    command: `${measured}${klog} topic create $(seq -f t%g ${count}) -q -d ${directory} > /dev/null`,
    prepare: `rm -rf ${directory}; sync`,
    check: { command: `${klog} topic list -d ${directory} | wc -l | tr -d ' '`, expected: `${count}\n` },
    isOnce: true,
  });
  return [
    { title: 'node -e 0', command: `${measured}${node} -e 0`, runs: RUNS },
    create(FEW_TOPICS, 'topics-few'),
    create(MANY_TOPICS, 'topics-many'),
    {
      title: CREATING_PARTITIONS,
      command: `${measured}${klog} topic create wide -p ${MANY_PARTITIONS} -q -d wide > /dev/null`,
      prepare: 'rm -rf wide; sync',
      check: { command: `${klog} topic offsets wide -d wide | wc -l | tr -d ' '`, expected: `${MANY_PARTITIONS}\n` },
      isOnce: true,
    },
  ];
}

/** Commands on one topic, each of which has to end within a second. */
function usingCases({ measured, klog }: Workspace): BenchCase[] {
  const amongMany = (title: string, command: string): BenchCase => ({
    title: `${title}, among ${MANY_TOPICS} topics`,
    command: `${measured}${klog} ${command} -d topics-many > /dev/null`,
    runs: RUNS,
  });
  const wide = (title: string, command: string): BenchCase => ({
    title: `${title}, ${MANY_PARTITIONS} partitions`,
    command: `${measured}${klog} ${command} -d wide > /dev/null`,
    runs: RUNS,
  });
  const oneEach = recordIntoEach(`${measured}${klog}`);
  const few = `( ulimit -n ${FEW_DESCRIPTORS}; ${klog} consume wide -d wide > few && wc -l < few | tr -d ' ' )`;
  return [
    amongMany('klog produce of one record', 'produce t5000 --value x'),
    amongMany('klog consume of one topic', 'consume t5000'),
    amongMany('klog topic describe of one', 'topic describe t5000'),
    amongMany('klog topic list', 'topic list'),
    amongMany('klog topic alter of one', 'topic alter t5000 --set retention.ms=7d -q'),
    {
      title: `klog produce of a record into each of ${MANY_PARTITIONS} partitions`,
      command: oneEach,
      runs: RUNS,
    },
    wide('klog produce of one record', 'produce wide --value x'),
    wide('klog topic offsets', 'topic offsets wide'),
    wide('klog topic describe', 'topic describe wide'),
    wide('klog consume -n 1 -p 500', 'consume wide -p 500 -n 1'),
    wide('klog consume of all', 'consume wide'),
    {
      title: `klog consume of all, ${MANY_PARTITIONS} partitions, ulimit -n ${FEW_DESCRIPTORS}`,
      command: `( ulimit -n ${FEW_DESCRIPTORS}; ${measured}${klog} consume wide -d wide > /dev/null )`,
      check: { command: `${klog} consume wide -d wide | wc -l | cmp - <(${few}) && echo same`, expected: 'same\n' },
      runs: RUNS,
    },
    {
      title: `klog produce of a record into each of ${MANY_PARTITIONS} partitions, ulimit -n ${FEW_DESCRIPTORS}`,
      command: `( ulimit -n ${FEW_DESCRIPTORS}; ${oneEach} )`,
      runs: RUNS,
    },
  ];
}

function recordIntoEach(klog: string): string {
  return `seq -f '%g x' 0 ${MANY_PARTITIONS - 1} | ${klog} produce wide -d wide -f '%p %v\\n'`;
}

function descriptorVerdicts({ folder, klog }: Workspace): Verdict[] {
  const commands = [
    ['consume of 1,000 partitions', `${klog} consume wide -d wide > /dev/null`],
    ['consume of 1,000 partitions by time', `${klog} consume wide -d wide --order time > /dev/null`],
    ['produce into 1,000 partitions', recordIntoEach(klog)],
    ['topic offsets of 1,000 partitions', `${klog} topic offsets wide -d wide > /dev/null`],
  ] as const;
  return commands.map(([title, command]) => {
    const highest = isInstalled('strace') ? highestDescriptor(command, folder) : undefined;
    return atMost(`descriptors of ${title}`, MOST_DESCRIPTORS, highest === undefined ? undefined : highest + 1, 'open');
  });
}
