import type { CommandPart } from '../bench-case.js';

export const produce: CommandPart = {
  name: 'produce',
  question: 'Lines into a new topic, acknowledged when they are on the disk, beside copying them and a sync.',
  cases({ records, input, measured, klog }) {
    const prepare = 'rm -rf fresh copied; sync';
    const check = {
      command: `${klog} consume lines -d fresh | cmp - ${input} && echo same`,
      expected: 'same\n',
    };
    const into = `${measured}${klog} produce lines -d fresh`;
    return [
      {
        title: 'cat in > out; sync out',
        command: `${measured}cat ${input} > copied; sync copied`,
        prepare,
        check: { command: `cmp copied ${input} && echo same`, expected: 'same\n' },
        records,
        isBaseline: true,
      },
      { title: 'klog produce < in', command: `${into} < ${input}`, prepare, check, records },
      { title: 'cat in | klog produce', command: `cat ${input} | ${into}`, prepare, check, records },
      {
        title: 'klog produce --acks written < in',
        command: `${into} --acks written < ${input}`,
        prepare,
        check,
        records,
      },
      {
        // The lines are JSON: up to the first comma they are `{"id":N`.
        title: 'klog produce -K , < in, 8 partitions',
        command: `${measured}${klog} produce keyed -d fresh -K , < ${input}`,
        prepare: `${prepare}; ${klog} topic create keyed -p 8 -d fresh > keyed 2>&1; sync`,
        check: {
          command: `${klog} consume keyed -d fresh -K , | sort | cmp - <(sort ${input}) && echo same`,
          expected: 'same\n',
        },
        records,
      },
      { title: 'klog produce -z lz4 < in', command: `${into} -z lz4 < ${input}`, prepare, check, records },
      { title: 'klog produce -z zstd < in', command: `${into} -z zstd < ${input}`, prepare, check, records },
    ];
  },
};
