import { commandPart } from '../bench-case.js';
import { FIRST_TIMESTAMP, HUGE_FACTOR } from '../workspace.js';

const RUNS = 5;
const FIRST = 'klog consume -n 1 at offset 0';
const MIDDLE = 'klog consume -n 1 in the middle';
const BY_TIME = 'klog consume -n 1 by time';

export const seek = commandPart({
  name: 'seek',
  question: `The first record from a place in a topic of ${HUGE_FACTOR} times the records (5 GB at the default size), as a whole command.`,
  cases({ records: some, hugeLog, measured, node, klog }) {
    const records = some * HUGE_FACTOR;
    const middle = Math.floor(records / 2);
    const first = (title: string, place: string, offset: number) => {
      const command = `${klog} consume huge -d ${hugeLog} -n 1 -o ${place}`;
      return {
        title,
        command: `${measured}${command} > /dev/null`,
        check: { command: `${command} -f '%o\\n'`, expected: `${offset}\n` },
        runs: RUNS,
      };
    };
    return [
      { title: 'node -e 0', command: `${measured}${node} -e 0`, runs: RUNS },
      { ...first(FIRST, '0', 0), isBaseline: true },
      first(MIDDLE, String(middle), middle),
      first(BY_TIME, `@${FIRST_TIMESTAMP + middle}`, middle),
      first('klog consume -n 1, the last', '-1', records - 1),
      {
        title: `klog consume of all, ${HUGE_FACTOR} times as many > /dev/null`,
        command: `${measured}${klog} consume huge -d ${hugeLog} > /dev/null`,
        records,
        isOnce: true,
      },
    ];
  },
  targets: () => [
    { of: MIDDLE, beside: FIRST, atMost: 1.2 },
    { of: BY_TIME, beside: FIRST, atMost: 1.2 },
    {
      what: `memory of klog consume of ${HUGE_FACTOR} times the records`,
      of: `klog consume of all, ${HUGE_FACTOR} times as many > /dev/null`,
      by: 'peak',
      atMost: 150,
    },
  ],
});
