import { expect, it } from 'vitest';
import { checkGroupHistory, type GroupHistory } from './check-group-history.js';
import type { MemberEvent } from './member-process.js';

function history(lines: string, more: Partial<GroupHistory> = {}): GroupHistory {
  const events = lines
    .trim()
    .split('\n')
    .map((line): MemberEvent => {
      const [at, member, what, ...words] = line.trim().split(' ');
      return { at: Number(at), member: member!, what: what!, words };
    });
  const counts = new Map([['t:0', 2]]);
  return { events, killedAt: new Map(), evictedAt: new Map(), produced: counts, committed: counts, ...more };
}

const GOOD = `1 a begin t:0 0
  2 a end t:0 0
  3 b begin t:0 1
  4 b end t:0 1`;

it('finds nothing where each record was handled once, by one at a time', () => {
  expect(checkGroupHistory(history(GOOD))).toEqual([]);
});

it.each([
  ['two members at a time', `${GOOD}\n1 c begin t:0 1\n5 c end t:0 1`, /is handling 1 when a begins 0|handling/],
  ['a record twice', `${GOOD}\n5 a begin t:0 1\n6 a end t:0 1`, /t:0@1 is handled by b and by a/],
  ['a record that nobody handled', '1 a begin t:0 0\n2 a end t:0 0', /1 records were skipped, the first at 1/],
  ['a record whose handling never ended', '1 a begin t:0 0\n2 a end t:0 0\n3 a begin t:0 1', /skipped/],
  ['a failure', `${GOOD}\n5 a failed CORRUPT_MESSAGE`, /a failed/],
  ['a refusal of who was not evicted', `${GOOD}\n5 a failed UNKNOWN_MEMBER_ID`, /a failed/],
  ['a record that does not exist', `${GOOD}\n5 a begin t:0 7\n6 a end t:0 7`, /never produced/],
])('finds %s', (_, lines, found) => {
  expect(checkGroupHistory(history(lines)).join('\n')).toMatch(found);
});

it('finds a commit that is missing, or too much', () => {
  for (const offset of [1, 3]) {
    expect(checkGroupHistory(history(GOOD, { committed: new Map([['t:0', offset]]) }))).toHaveLength(1);
  }
});

it('forgives the killed and the evicted what they cannot help, and no more', () => {
  const again = `1 a begin t:0 0\n2 a end t:0 0\n3 a begin t:0 1\n6 b begin t:0 0\n7 b end t:0 0\n8 b begin t:0 1\n9 b end t:0 1`;
  expect(checkGroupHistory(history(again, { killedAt: new Map([['a', 4]]) }))).toEqual([]);
  expect(checkGroupHistory(history(again, { evictedAt: new Map([['a', 4]]) }))).toEqual([]);
  expect(checkGroupHistory(history(again, { killedAt: new Map([['a', 7]]) }))).not.toEqual([]);
  const refused = `${GOOD}\n5 a failed UNKNOWN_MEMBER_ID`;
  expect(checkGroupHistory(history(refused, { evictedAt: new Map([['a', 4]]) }))).toEqual([]);
});
