import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../../src/cli/record-format/filter-expression.js';
import { compileGrep } from '../../../src/cli/record-format/grep.js';
import { compileLinearRegExp } from '../../../src/cli/record-format/linear-regexp.js';
import { cursorOver, type TestRecord } from './support.js';

const RECORD: TestRecord = {
  key: 'user-17',
  value: 'an ERROR\nin line 2 caf\u00e9',
  headers: [
    ['trace', 'abc'],
    ['none', null],
    ['trace', 'def'],
  ],
};

function grep(patterns: string | string[], record = RECORD): boolean {
  const cursor = cursorOver([record]);
  cursor.next();
  return compileGrep([patterns].flat())(cursor, 'orders');
}

describe('grep', () => {
  it.each([
    ['ERROR', true],
    ['error', false],
    ['(?i)error', true],
    ['v:ERROR', true],
    ['!ERROR', false],
    ['!v:nothing', true],
    ['caf\u00e9', true],
    ['^an', true],
    ['^in', false],
    ['(?m)^in', true],
    ['ERROR.in', false],
    ['(?s)ERROR.in', true],
    ['(?ism)error.IN', true],
    ['l[ie]{2}|lin{1,2}e', true],
    ['k:^user-\\d{2}$', true],
    ['k:^user-\\d{3}', false],
    ['k:user-17', true],
    ['hk:^tra', true],
    ['hk:^x', false],
    ['hv:def', true],
    ['hv:^$', false],
    ['h:trace=abc', true],
    ['h:trace=^def$', true],
    ['h:none=.*', false],
    ['h:trace=x=y', false],
    ['!h:none=.*', true],
    ['t:^ord', true],
    ['t:^pay', false],
    ['x:y', false],
    ['', true],
  ])('%s: %s', (pattern, expected) => {
    expect(grep(pattern)).toBe(expected);
  });

  it('several are all to hold', () => {
    expect(grep(['ERROR', 'k:17'])).toBe(true);
    expect(grep(['ERROR', 'k:18'])).toBe(false);
  });

  it('null matches nothing', () => {
    expect(grep('', {})).toBe(false);
    expect(grep('k:.*', { value: 'x' })).toBe(false);
    expect(grep('!k:.*', { value: 'x' })).toBe(true);
    expect(grep('.*', { value: '' })).toBe(true);
  });

  it.each([
    ['(', /no regular expression/],
    ['k:[z-a]', /no regular expression/],
    ['h:name', /needs a name and =/],
    ['\\p{L}', /not supported/],
  ])('%s is refused', (pattern, message) => {
    expect(() => compileGrep([pattern])).toThrow(message);
    expect(() => compileGrep([pattern])).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });
});

describe('expressions that cannot hang', () => {
  const evil = `${'a'.repeat(50_000)}b`;

  it.each(['(a+)+$', '(?i)(A+)+$', '^(a|a)*$', '(a*)*c', '(a{1,3})+$', '(?:a+){2,}$', '(.*)*c', '(?<name>a+)+$'])(
    '%s over 50 kB takes less than a second',
    (source) => {
      const expression = compileLinearRegExp(source, '-G');
      const started = process.cpuUsage();
      expect(expression.test(evil)).toBe(false);
      expect(process.cpuUsage(started).user / 1000).toBeLessThan(1000);
    },
  );

  it('groups nested so deep that the engine would end the process are refused', () => {
    const nested = (depth: number): string => `${'(?:a|'.repeat(depth)}x${')'.repeat(depth)}`;
    expect(compileLinearRegExp(nested(400), '-G').test('x')).toBe(true);
    expect(() => compileLinearRegExp(nested(20_000), '-G')).toThrow(/groups are nested/);
    expect(compileLinearRegExp('\\(()'.repeat(600), '-G').test('('.repeat(600))).toBe(true);
  });

  it.each(['(?:a?){1001}a{9}', 'a{2000,}', '(a)\\1{3,9007199254740990}'])('%s is refused, as in Go', (source) => {
    expect(() => compileLinearRegExp(source, '-G')).toThrow(/more than 1000 repetitions/);
  });

  it('a thousand repetitions, and a bracket that is none, are not', () => {
    expect(compileLinearRegExp('^a{1000}$', '-G').test('a'.repeat(1000))).toBe(true);
    expect(compileLinearRegExp('\\{2000\\}', '-G').test('{2000}')).toBe(true);
  });

  it('a long row of optional parts is compiled in no time', () => {
    const expression = compileLinearRegExp('(?:a?){200}a{9}', '-G');
    expect(expression.test('a'.repeat(8))).toBe(false);
    expect(expression.test('a'.repeat(300))).toBe(true);
    expect(compileLinearRegExp('(?i)(?:a?){200}B', 're').endOfMatchAt('xAAb', 1)).toBe(4);
  });

  it.each(['^(a|b)*$', '(?i)^(A|b)*$'])('%s needs no stack for megabytes of text', (source) => {
    const expression = compileLinearRegExp(source, '-G');
    const text = 'a'.repeat(6_000_000);
    expect(expression.test(`${text}c`)).toBe(false);
    expect(expression.endOfMatchAt(text, 0)).toBe(text.length);
  });

  it('what only the usual engine knows says when it has no stack left', () => {
    const expression = compileLinearRegExp('(?=a)(a|b)*$', '-G');
    expect(() => expression.test('a'.repeat(6_000_000))).toThrow(/works on one text until there is no stack left/);
  });

  it.each(['(a+)+(?=c)', '(a+)+\\1c', '(?i)(a+)+(?!b)$'])('%s is given up within a second', (source) => {
    const expression = compileLinearRegExp(source, '-G');
    const started = process.cpuUsage();
    expect(() => expression.test(evil)).toThrow(/more than 700 ms/);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1000);
  });

  it.each([
    ['a{2}', 'aa', 'a'],
    ['^a{2,3}$', 'aaa', 'aaaa'],
    ['^a{2,}$', 'aaaaa', 'a'],
    ['^a{0,1}b{0}$', 'a', 'ab'],
    ['^(ab|c){2}$', 'abc', 'ab'],
    ['^((a|b){2}c){2}$', 'abcbac', 'abcbc'],
    ['^[a{2}]{2}$', 'a{', 'aaa'],
    ['^\\d{4}-\\d{2}$', '2024-05', '2024-5'],
    ['^\\{2}$', '{2}', '\\\\'],
    ['^\\x41{2}$', 'AA', 'A2'],
    ['^a{2}?b', 'aab', 'ab'],
    ['^a{1,2}?b', 'aab', 'b'],
    ['^a{,2}$', 'a{,2}', 'aa'],
    ['a(?=b)', 'ab', 'ac'],
    ['(a)\\1', 'aa', 'ab'],
    ['a{1000,}', 'a'.repeat(1000), 'a'.repeat(999)],
    ['(?:a{1,100}){1,100}c', `${'a'.repeat(50)}c`, 'c'],
    ['(?i)^\\S\\D\\x4B[A-C]\\u00c9$', 'xykc\u00e9', 'xykd\u00e9'],
    ['(?i)\\bfoo\\B', 'FOOL', 'FOO L'],
  ])('%s matches what it should', (source, yes, no) => {
    const expression = compileLinearRegExp(source, '-G');
    expect(expression.test(yes)).toBe(true);
    expect(expression.test(no)).toBe(false);
  });

  it('finds the end of a match at a place', () => {
    expect(compileLinearRegExp('b+', 're').endOfMatchAt('abbc', 1)).toBe(3);
    expect(compileLinearRegExp('b+', 're').endOfMatchAt('abbc', 0)).toBe(-1);
    expect(compileLinearRegExp('b(?=c)', 're').endOfMatchAt('abbc', 2)).toBe(3);
  });
});

describe('filter expressions', () => {
  function filter(source: string, record: TestRecord = RECORD): boolean {
    const cursor = cursorOver([record], 42);
    cursor.next();
    return compileFilter(source)(cursor, 'orders', 3);
  }

  it.each([
    ['v.n > 10', { value: '{"n":11}' }, true],
    ['v.n > 10', { value: '{"n":9}' }, false],
    ['v.includes("ERROR")', RECORD, true],
    ['v === null', {}, true],
    ['v === 5', { value: '5' }, true],
    ['k === "user-17"', RECORD, true],
    ['k === null', {}, true],
    ['m.topic === "orders" && m.partition === 3 && m.offset === 42 && m.timestamp === 1700000000000', {}, true],
    ['m.headers.trace === "def"', RECORD, true],
    ['m.headers.none === null && m.headers.absent === undefined', RECORD, true],
    ['m.headers.constructor === undefined', RECORD, true],
    ['v // a comment', { value: '1' }, true],
    ['(() => { return 0 })()', {}, false],
  ] as const)('%s of %j', (source, record, expected) => {
    expect(filter(source, record)).toBe(expected);
  });

  it.each(['', '  ', 'v.n >', '1) || (2', 'let x = 1', '1; 2', '}, {'])('%j is refused', (source) => {
    expect(() => compileFilter(source)).toThrow(expect.objectContaining({ code: 'KLOG_USAGE' }));
  });

  it('an exception names the record', () => {
    expect(() => filter('v.a.b', { value: '{}' })).toThrow(/^--filter failed on orders:3@42: Cannot read properties/);
    expect(() => filter('(() => { throw "text" })()', {})).toThrow(/orders:3@42: text/);
  });
});
