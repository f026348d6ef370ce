import type { CommandPart } from '../bench-case.js';

export const consume: CommandPart = {
  name: 'consume',
  question: 'A topic printed to /dev/null and through a pipe, beside counting the same lines.',
  cases({ records, input, log, measured, klog }) {
    const from = `${klog} consume large -d ${log}`;
    const count = { expected: `${records}\n` };
    return [
      {
        title: 'grep -c order in',
        // Into a file: GNU grep stops at the first match when it sees that it writes to /dev/null.
        command: `${measured}grep -c order ${input} > counted`,
        check: { command: 'cat counted', ...count },
        records,
        isBaseline: true,
      },
      {
        title: 'klog consume > /dev/null',
        command: `${measured}${from} > /dev/null`,
        check: { command: `${from} | cmp - ${input} && echo same`, expected: 'same\n' },
        records,
      },
      {
        title: "klog consume -f '%k %v\\n' > /dev/null",
        command: `${measured}${from} -f '%k %v\\n' > /dev/null`,
        check: { command: `${from} -f '%k %v\\n' | cut -c 2- | cmp - ${input} && echo same`, expected: 'same\n' },
        records,
      },
      {
        title: 'klog consume -J > /dev/null',
        command: `${measured}${from} -J > /dev/null`,
        check: { command: `${from} -J | grep -c '"offset":[0-9]*[,}]'`, ...count },
        records,
      },
      { title: 'klog consume | cat > /dev/null', command: `${measured}${from} | cat > /dev/null`, records },
    ];
  },
};
