import type { CommandPart } from '../bench-case.js';

const RUNS = 7;

export const start: CommandPart = {
  name: 'start',
  question: 'What a short command costs, beside a Node that does nothing.',
  cases({ log, measured, node, klog }) {
    return [
      { title: 'node -e 0', command: `${measured}${node} -e 0`, runs: RUNS, isBaseline: true },
      { title: 'klog --version', command: `${measured}${klog} --version > /dev/null`, runs: RUNS },
      { title: 'klog --help', command: `${measured}${klog} --help > /dev/null`, runs: RUNS },
      { title: 'klog topic list', command: `${measured}${klog} topic list -d ${log} > /dev/null`, runs: RUNS },
      {
        title: 'klog topic list of 1,000 topics',
        command: `${measured}${klog} topic list -d many > /dev/null`,
        prepare: `[ -d many ] || ${klog} topic create $(seq -f t%g 1000) -q -d many > /dev/null`,
        check: { command: `${klog} topic list -d many | wc -l | tr -d ' '`, expected: '1000\n' },
        runs: RUNS,
      },
      {
        title: 'klog produce of one record',
        command: `${measured}${klog} produce one -d single --value x`,
        prepare: `[ -d single ] || ${klog} topic create one -d single > /dev/null`,
        check: { command: `${klog} consume one -d single`, expected: 'x\n' },
        runs: RUNS,
      },
    ];
  },
};
