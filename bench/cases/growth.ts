/** What a record costs as there are more of them, and more partitions: it ought to be the same. */
import { statfsSync } from 'node:fs';
import { type BenchCase, runCommands } from '../bench-case.js';
import type { BenchPart, PartResult } from '../bench-part.js';
import { aligned } from '../markdown-table.js';
import type { Measurement } from '../measure.js';
import { cpuMs, type Measured, medianOf, peakMib, rawRuns, wallMs } from '../report.js';
import { atMost, type Verdict } from '../verdict.js';
import type { Workspace } from '../workspace.js';

/** Beside the records of the run: 10⁸ at the default size. */
const LARGEST = 20;
const SMALLEST = 10_000;
/** Those of one partition that the verdict compares with: below, the start is most of it. */
const COMPARED = 1_000_000;
const PARTITIONS = [1, 10, 100, 1000];
const BYTES_PER_RECORD = 120;
const MOST_MIB = 150;
const MOST_ROUNDS = 3;

export const growth: BenchPart = {
  name: 'growth',
  question: 'What a record costs, from a pipe into a topic and out of it, by the number of records and of partitions.',
  run(workspace, rounds): PartResult {
    const sizes = sizesOf(workspace);
    const start = runCommands(startCases(workspace), workspace, rounds);
    const pairs = [
      ...sizes.map((records) => pairOf(workspace, records, 1)),
      ...PARTITIONS.slice(1).map((partitions) => pairOf(workspace, partitionRecords(workspace), partitions)),
    ];
    const rows = pairs.map(({ records, partitions, cases }): GrowthRow => {
      // A large one is run once: there is much in it to take the mean of.
      const [produce, consume] = runCommands(cases, workspace, records > COMPARED ? 1 : Math.min(rounds, MOST_ROUNDS));
      return { records, partitions, produce: produce!, consume: consume! };
    });
    return {
      shown: growthTable(rows, start),
      raw: rawRuns(rows.flatMap(({ produce, consume }) => [produce, consume])),
      verdicts: growthVerdicts(rows, start),
    };
  },
};

interface GrowthRow {
  readonly records: number;
  readonly partitions: number;
  readonly produce: Measured;
  readonly consume: Measured;
}

/** Powers of ten, as far as the records of the run and the disk go. */
function sizesOf({ records, folder }: Workspace): number[] {
  const { bavail, bsize } = statfsSync(folder);
  const largest = Math.min(records * LARGEST, (bavail * bsize) / BYTES_PER_RECORD / 1.5);
  const sizes: number[] = [];
  for (let size = SMALLEST; size <= largest; size *= 10) sizes.push(size);
  return sizes;
}

function partitionRecords({ records }: Workspace): number {
  return Math.min(records, COMPARED);
}

function startCases({ klog }: Workspace): BenchCase[] {
  const prepare = `[ -d growth-one ] || ${klog} topic create one -d growth-one -q`;
  return [
    { title: 'produce of one', command: `echo x | ${klog} produce one -d growth-one`, prepare, runs: 3 },
    { title: 'consume of one', command: `${klog} consume one -d growth-one -n 1 > /dev/null`, runs: 3 },
  ];
}

function pairOf({ records: inInput, input, klog, measured }: Workspace, records: number, partitions: number) {
  const times = Math.floor(records / inInput);
  const whole = times > 0 ? `for i in $(seq ${times}); do cat ${input}; done; ` : '';
  const lines = `{ ${whole}head -n ${records - times * inInput} ${input}; }`;
  const keys = partitions === 1 ? '' : ' -K ,';
  const cases: BenchCase[] = [
    {
      title: `produce ${records}, ${partitions} partitions`,
      command: `${lines} | ${measured}${klog} produce grown -d grown${keys}`,
      prepare: `rm -rf grown; ${klog} topic create grown -p ${partitions} -d grown -q; sync`,
    },
    {
      title: `consume ${records}, ${partitions} partitions`,
      command: `${measured}${klog} consume grown -d grown > /dev/null`,
      check: {
        command: `${klog} topic offsets grown -d grown | awk '{ n += $4 - $3 } END { print n }'`,
        expected: `${records}\n`,
      },
    },
  ];
  return { records, partitions, cases };
}

const CPU_NOTE = 'CPU is that of a record, in nanoseconds, without that of a command for one record.';
/** Why the last rows are not flat. */
const PARTITION_NOTE =
  'With more partitions a record costs more: all open batches share 8 MiB, so that of a thousand partitions each is 8 KiB, appended and synced for itself, and files are closed and opened again within 224 descriptors.';

const HEAD = ['records', 'partitions', 'produce ms', 'CPU ns', 'MiB', 'consume ms', 'CPU ns', 'MiB'];

function growthTable(rows: readonly GrowthRow[], start: readonly Measured[]): string {
  const [produceOne, consumeOne] = start;
  const cells = rows.map(({ records, partitions, produce, consume }) => [
    records.toExponential(0).replace('e+', 'e'),
    String(partitions),
    ...cellsOf(produce, produceOne!, records),
    ...cellsOf(consume, consumeOne!, records),
  ]);
  const note = `${CPU_NOTE} ${PARTITION_NOTE}`;
  return `${aligned([HEAD, ...cells])}\n\n${note}`;
}

function cellsOf(measured: Measured, one: Measured, records: number): string[] {
  return [
    medianOf(measured.runs, wallMs).toFixed(0),
    nanosecondsOf(measured, one, records).toFixed(0),
    peakMib(measured.runs).toFixed(0),
  ];
}

/** A record's CPU, beyond the start of the command. */
function nanosecondsOf(measured: Measured, one: Measured, records: number): number {
  const beyond = (figure: (run: Measurement) => number) => medianOf(measured.runs, figure) - medianOf(one.runs, figure);
  return (beyond(cpuMs) * 1e6) / records;
}

function growthVerdicts(rows: readonly GrowthRow[], start: readonly Measured[]): Verdict[] {
  const single = rows.filter(({ partitions }) => partitions === 1);
  const compared = single.find(({ records }) => records === COMPARED);
  const largest = single.at(-1);
  const verdicts: Verdict[] = [];
  (['produce', 'consume'] as const).forEach((way, index) => {
    const cost = (row: GrowthRow | undefined) =>
      row === undefined ? Number.NaN : nanosecondsOf(row[way], start[index]!, row.records);
    const isLarger = largest !== undefined && compared !== undefined && largest.records > compared.records;
    const what = `${way}: CPU of a record among ${largest?.records.toExponential(0)}, beside one among 1e+6`;
    verdicts.push(atMost(what, 1.2, isLarger ? cost(largest) / cost(compared) : undefined));
    const peaks = rows.map((row) => peakMib(row[way].runs)).filter((peak) => !Number.isNaN(peak));
    verdicts.push(
      atMost(`${way}: memory, whatever the volume`, MOST_MIB, peaks.length > 0 ? Math.max(...peaks) : undefined, 'MiB'),
    );
  });
  return verdicts;
}
