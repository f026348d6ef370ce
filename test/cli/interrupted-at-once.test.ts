import { describe, expect, it } from 'vitest';
import { numbered, withLog } from './support/real-log.js';

describe('a signal before anything was read', () => {
  it.each([
    'consume t',
    'consume t -F',
    'consume t --reverse',
    'consume t --order time',
    'tail t',
    'tail -f t',
    'tail -f t -G v1',
    'get t@1',
    'wait t -n 9',
    'wait t --offset 9',
    'expect t -n 9',
    'expect t -n 9 --timeout 1s',
    'replay t',
    'replay t --speed 1x',
    'replay t --dry-run',
    'replay t --to-header h --dry-run',
  ])('ends klog %s without a word: nothing is known, not that there is nothing', (line) =>
    withLog(async (log) => {
      await log.produce(numbered('t', 5));
      const { code, out, err } = await log.run(line, { interrupted: 'SIGTERM' });
      expect({ code, out, err }).toEqual({ code: 143, out: '', err: '' });
    }),
  );
});
