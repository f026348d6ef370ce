import { commandPart } from '../bench-case.js';

const RUNS = 7;
const EMPTY = 'node -e 0';
const HELP = 'klog --help';
const LIST = 'klog topic list of 1,000 topics';
const ONE = 'klog produce of one record';

export const start = commandPart({
  name: 'start',
  question: 'What a short command costs, beside a Node that does nothing.',
  cases({ log, measured, node, klog }) {
    return [
      { title: EMPTY, command: `${measured}${node} -e 0`, runs: RUNS, isBaseline: true },
      { title: 'klog --version', command: `${measured}${klog} --version > /dev/null`, runs: RUNS },
      { title: HELP, command: `${measured}${klog} --help > /dev/null`, runs: RUNS },
      { title: 'klog topic list', command: `${measured}${klog} topic list -d ${log} > /dev/null`, runs: RUNS },
      {
        title: LIST,
        command: `${measured}${klog} topic list -d many > /dev/null`,
        prepare: `[ -d many ] || ${klog} topic create $(seq -f t%g 1000) -q -d many > /dev/null`,
        check: { command: `${klog} topic list -d many | wc -l | tr -d ' '`, expected: '1000\n' },
        runs: RUNS,
      },
      {
        title: ONE,
        command: `${measured}${klog} produce one -d single --value x`,
        prepare: `[ -d single ] || ${klog} topic create one -d single > /dev/null`,
        check: { command: `${klog} consume one -d single`, expected: 'x\n' },
        runs: RUNS,
      },
    ];
  },
  targets: () => [
    { of: ONE, beside: EMPTY, atMost: 1.7 },
    { of: HELP, beside: EMPTY, atMost: 1.7 },
    { of: LIST, beside: EMPTY, atMost: 2 },
  ],
});
