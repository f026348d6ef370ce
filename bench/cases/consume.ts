import { commandPart } from '../bench-case.js';

const COUNT = 'grep -c order in';
const VALUES = 'klog consume > /dev/null';
const FORMAT = "klog consume -f '%k %v\\n' > /dev/null";
const JSON_LINES = 'klog consume -J > /dev/null';
const MERGED = 'klog consume --order time, 8 partitions as produced > /dev/null';
const SPREAD = 'klog consume --order time, 8 partitions in turn > /dev/null';

export const consume = commandPart({
  name: 'consume',
  question: 'A topic printed to /dev/null and through a pipe, beside counting the same lines.',
  cases({ records, input, log, measured, klog }) {
    const from = `${klog} consume large -d ${log}`;
    const count = { expected: `${records}\n` };
    const same = (command: string) => ({ command: `${command} | cmp - ${input} && echo same`, expected: 'same\n' });
    return [
      {
        title: COUNT,
        // Into a file: GNU grep stops at the first match when it sees that it writes to /dev/null.
        command: `${measured}grep -c order ${input} > counted`,
        check: { command: 'cat counted', ...count },
        records,
        isBaseline: true,
      },
      { title: VALUES, command: `${measured}${from} > /dev/null`, check: same(from), records },
      {
        title: FORMAT,
        command: `${measured}${from} -f '%k %v\\n' > /dev/null`,
        check: same(`${from} -f '%k %v\\n' | cut -c 2-`),
        records,
      },
      {
        title: JSON_LINES,
        command: `${measured}${from} -J > /dev/null`,
        check: { command: `${from} -J | grep -c '"offset":[0-9]*[,}]'`, ...count },
        records,
      },
      { title: 'klog consume | cat > /dev/null', command: `${measured}${from} | cat > /dev/null`, records },
      {
        title: MERGED,
        command: `${measured}${klog} consume eight -d eight --order time > /dev/null`,
        prepare: `[ -d eight ] || { ${klog} topic create eight -p 8 -d eight -q && ${klog} produce eight -d eight < ${input}; }`,
        check: { command: `${klog} consume eight -d eight --order time | wc -l | tr -d ' '`, ...count },
        records,
      },
      {
        // The hardest merge there is: no two records in a row are of the same partition.
        title: SPREAD,
        command: `${measured}${klog} consume spread -d ${log} --order time > /dev/null`,
        check: same(`${klog} consume spread -d ${log} --order time`),
        records,
      },
    ];
  },
  targets: () => [
    { of: VALUES, beside: COUNT, atMost: 2.6 },
    { of: FORMAT, beside: VALUES, atMost: 2 },
    { of: JSON_LINES, beside: VALUES, atMost: 4 },
    { of: MERGED, beside: VALUES, atMost: 2 },
    { of: SPREAD, beside: VALUES, atMost: 2 },
    { what: 'memory of klog consume', of: VALUES, by: 'peak', atMost: 150 },
  ],
});
