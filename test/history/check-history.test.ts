import { describe, expect, it } from 'vitest';
import { checkHistory } from './check-history.js';
import { type End, type Operation, type Poll, parseHistory, type Send } from './history.js';

const LOG = 'orders-0';

function send(value: string, offset: number, at: readonly [number, number], more: Partial<Send> = {}): Send {
  const session = value.slice(0, 1);
  const [invoked, completed] = at;
  const base = { kind: 'send', session, partition: 0, log: LOG, acks: 'all', outcome: 'ok' } as const;
  return { ...base, value, offset, invoked, completed, ...more };
}

function poll(from: number, values: readonly string[], at: readonly [number, number], more: Partial<Poll> = {}): Poll {
  const records = values.map((value, i) => [from + i, value] as const);
  const [invoked, completed] = at;
  const base = {
    kind: 'poll',
    session: `r${from}-${invoked}`,
    log: LOG,
    toEnd: false,
    copy: false,
    final: false,
  } as const;
  return { ...base, from, records, next: from + values.length, invoked, completed, ...more };
}

function end(offset: number, at: readonly [number, number]): End {
  return { kind: 'end', log: LOG, end: offset, invoked: at[0], completed: at[1] };
}

/** Two writers and a reader, nothing wrong. */
const GOOD: readonly Operation[] = [
  send('a1', 0, [10, 20]),
  send('b1', 1, [12, 22]),
  poll(0, ['a1'], [15, 19], { session: 'r' }),
  end(1, [18, 21]),
  send('a2', 2, [30, 40]),
  poll(1, ['b1', 'a2'], [35, 41], { session: 'r' }),
  poll(0, ['a1', 'b1', 'a2'], [50, 60], { toEnd: true }),
];

function kinds(operations: readonly Operation[]): string[] {
  return [...new Set(checkHistory(operations).map(({ kind }) => kind))].sort();
}

describe('a history that one log explains', () => {
  it('has no anomalies', () => {
    expect(checkHistory(GOOD)).toEqual([]);
  });

  it('may have records of unknown outcome, present or absent', () => {
    const unknown = { outcome: 'info', completed: Number.POSITIVE_INFINITY } as const;
    const present = send('c1', -1, [55, 0], { ...unknown });
    const absent = send('d1', -1, [55, 0], { ...unknown });
    const last = poll(3, ['c1'], [70, 80], { toEnd: true, final: true });
    expect(checkHistory([...GOOD, present, absent, last])).toEqual([]);
  });

  it('may have concurrent sends in either order, and a read that began before the acknowledgement', () => {
    const operations = [send('b1', 0, [12, 30]), send('a1', 1, [10, 31]), poll(0, ['b1'], [20, 40], { toEnd: true })];
    expect(checkHistory(operations)).toEqual([]);
  });

  it('may show more in a copy than is safe in the original yet, but no less than was acknowledged', () => {
    const copy = poll(0, ['a1', 'b1', 'a2', 'c1'], [42, 70], { copy: true, toEnd: true });
    const pending = send('c1', 3, [41, 100]);
    const last = poll(0, ['a1', 'b1', 'a2', 'c1'], [110, 120], { toEnd: true, final: true });
    expect(checkHistory([...GOOD, pending, copy, end(3, [80, 90]), last])).toEqual([]);
    const short = poll(0, ['a1', 'b1'], [45, 50], { copy: true, toEnd: true });
    expect(kinds([...GOOD, short])).toEqual(['read after ack']);
  });

  it('may keep a record sent with acks=written from readers until it is safe, but not for good', () => {
    const written = send('w1', 0, [1, 2], { acks: 'written' });
    const early = poll(0, [], [3, 4], { toEnd: true });
    expect(checkHistory([written, early, poll(0, ['w1'], [5, 6], { final: true, toEnd: true })])).toEqual([]);
    expect(kinds([written, early, poll(0, [], [5, 6], { final: true, toEnd: true })])).toEqual(['lost write']);
  });

  it('may be written down in the order of the answers', () => {
    expect(checkHistory([send('a2', 1, [3, 4]), send('a1', 0, [2, 5])])).toEqual([]);
  });
});

describe('each planted anomaly is found', () => {
  it('lost write: acknowledged, a later offset read, never read itself', () => {
    const operations = [send('a1', 0, [1, 2]), send('a2', 1, [3, 4])];
    const past = poll(0, [], [5, 6], { records: [[1, 'a2']], next: 2 });
    expect(kinds([...operations, past])).toContain('lost write');
    // Nobody has looked there.
    expect(kinds([...operations, poll(1, ['a2'], [5, 6])])).toEqual([]);
  });

  it('lost write: the log ends before it', () => {
    const operations = [
      ...GOOD,
      send('c1', 3, [42, 43]),
      poll(0, ['a1', 'b1', 'a2'], [90, 95], { toEnd: true, final: true }),
    ];
    expect(kinds(operations)).toContain('lost write');
  });

  it('duplicate', () => {
    expect(kinds([...GOOD, poll(3, ['a1'], [70, 80])])).toContain('duplicate');
  });

  it('duplicate in another log', () => {
    expect(kinds([...GOOD, poll(0, ['a1'], [70, 80], { log: 'orders-1' })])).toEqual(['duplicate']);
  });

  it('inconsistent offset: two readers, or a reader and an acknowledgement', () => {
    expect(kinds([...GOOD, send('c1', -1, [1, 99], { outcome: 'info' }), poll(2, ['c1'], [70, 80])])).toContain(
      'inconsistent offset',
    );
    expect(kinds([send('a1', 0, [1, 2]), send('b1', 0, [1, 2])])).toContain('inconsistent offset');
  });

  it('gap poll: a jump over offsets that nobody has seen, within a poll and between two', () => {
    expect(kinds([poll(0, ['a1'], [70, 80], { next: 4 }), send('a1', 0, [1, 99])])).toEqual(['gap poll']);
    const first = poll(0, ['a1'], [70, 80], { session: 'r' });
    const operations = [
      send('a1', 0, [1, 99]),
      send('b1', 7, [1, 99]),
      first,
      poll(7, ['b1'], [81, 82], { session: 'r' }),
    ];
    expect(kinds(operations)).toEqual(['gap poll']);
  });

  it('backward poll, within a poll and between two', () => {
    const backward = poll(1, ['b1'], [70, 80], { session: 'r2' });
    expect(kinds([...GOOD, backward, poll(0, ['a1'], [81, 82], { session: 'r2' })])).toEqual(['backward poll']);
    const within = poll(1, [], [70, 80], {
      records: [
        [1, 'b1'],
        [0, 'a1'],
      ],
      next: 2,
    });
    expect(kinds([...GOOD, within])).toEqual(['backward poll']);
  });

  it('skipped poll: past a record that others have seen', () => {
    const skipping = poll(0, [], [70, 80], {
      records: [
        [0, 'a1'],
        [2, 'a2'],
      ],
      next: 3,
    });
    expect(kinds([...GOOD, skipping])).toEqual(['skipped poll']);
    expect(kinds([...GOOD, poll(0, ['a1', 'b1'], [70, 80], { next: 3 })])).toEqual(['skipped poll']);
  });

  it('aborted read: its send was refused', () => {
    const refused = send('c1', -1, [61, 62], { outcome: 'fail' });
    expect(kinds([...GOOD, refused, poll(3, ['c1'], [70, 80])])).toEqual(['aborted read']);
  });

  it('phantom read: sent by nobody, or only later', () => {
    expect(kinds([...GOOD, poll(3, ['x1'], [70, 80])])).toEqual(['phantom read']);
    expect(kinds([...GOOD, poll(3, ['c1'], [70, 80]), send('c1', 3, [81, 90])])).toEqual(['phantom read']);
  });

  it('real-time order: acknowledged before the other was sent, but behind it', () => {
    expect(kinds([send('a1', 1, [1, 2]), send('b1', 0, [3, 4])])).toEqual(['real-time order']);
  });

  it('real-time order, also of a record whose outcome only a reader tells', () => {
    const unknown = send('b1', -1, [3, 0], { outcome: 'info', completed: Number.POSITIVE_INFINITY });
    expect(kinds([send('a1', 1, [1, 2]), unknown, poll(0, ['b1', 'a1'], [5, 6])])).toEqual(['real-time order']);
  });

  it('send order: one producer, concurrent sends, the wrong way round', () => {
    expect(kinds([send('a1', 1, [1, 9]), send('a2', 0, [2, 9])])).toEqual(['send order']);
  });

  it('hole: a record behind one of the same producer that is missing', () => {
    const unknown = send('c1', -1, [61, 62], { outcome: 'info' });
    expect(kinds([...GOOD, unknown, send('c2', 3, [61, 63]), poll(3, ['c2'], [70, 71])])).toEqual(['hole']);
    // The other may stand where nobody has looked.
    const later = send('c2', 9, [61, 63]);
    expect(kinds([...GOOD, unknown, later, poll(9, ['c2'], [70, 71])])).toEqual([]);
  });

  it('read after ack: who looks later ends before it', () => {
    expect(kinds([send('a1', 0, [1, 2]), poll(0, [], [3, 4], { toEnd: true })])).toEqual(['read after ack']);
    expect(kinds([send('a1', 0, [1, 2]), end(0, [3, 4])])).toEqual(['read after ack']);
  });

  it('stale end: an end, or a read, behind what was seen before', () => {
    expect(kinds([end(5, [1, 2]), end(4, [3, 4])])).toEqual(['stale end']);
    const slow = send('a1', 0, [1, 99]);
    expect(kinds([slow, poll(0, ['a1'], [2, 3]), end(0, [4, 5])])).toEqual(['stale end']);
  });

  it('mixed logs: the topic was replaced while it was read, and both came as one', () => {
    const operations = [
      send('a1', 0, [1, 2], { log: 'old' }),
      send('b1', 0, [5, 6], { log: 'new' }),
      poll(0, ['a1', 'b1'], [3, 9], { log: undefined }),
    ];
    expect(kinds(operations)).toEqual(['mixed logs']);
  });
});

describe('the file of a process', () => {
  it('is read up to a half line, and a question without an answer has an unknown outcome', () => {
    const text = [
      '{"id":1,"at":5,"invoke":{"kind":"send","session":"a","acks":"all","records":[{"partition":0,"value":"a1","log":"l"}]}}',
      '{"id":1,"at":9,"ok":{"offsets":[4]}}',
      '{"id":2,"at":10,"invoke":{"kind":"send","session":"a","acks":"all","records":[{"partition":0,"value":"a2","log":"l"}]}}',
      '{"id":3,"at":11,"invo',
    ].join('\n');
    const { operations, failures } = parseHistory(text);
    expect(failures).toEqual([]);
    expect(operations).toMatchObject([
      { value: 'a1', outcome: 'ok', offset: 4, invoked: 5, completed: 9 },
      { value: 'a2', outcome: 'info', offset: -1, completed: Number.POSITIVE_INFINITY },
    ]);
  });
});
