import type { CommandPart } from '../bench-case.js';
import { FIRST_TIMESTAMP } from '../workspace.js';

const RUNS = 5;

export const seek: CommandPart = {
  name: 'seek',
  question: 'The first record from a place in the large topic, as a whole command.',
  cases({ records, log, measured, node, klog }) {
    const middle = Math.floor(records / 2);
    const first = (title: string, place: string, offset: number) => {
      const command = `${klog} consume large -d ${log} -n 1 -o ${place}`;
      return {
        title,
        command: `${measured}${command} > /dev/null`,
        check: { command: `${command} -f '%o\\n'`, expected: `${offset}\n` },
        runs: RUNS,
      };
    };
    return [
      { title: 'node -e 0', command: `${measured}${node} -e 0`, runs: RUNS, isBaseline: true },
      first('klog consume -n 1 at offset 0', '0', 0),
      first('klog consume -n 1 in the middle', String(middle), middle),
      first('klog consume -n 1 by time', `@${FIRST_TIMESTAMP + middle}`, middle),
      first('klog consume -n 1, the last', '-1', records - 1),
    ];
  },
};
