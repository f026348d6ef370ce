/**
 * `-G [!]PREFIX:REGEX`: which records to keep. kcl's prefixes: `k:` key, `v:` value, `hk:` any header key, `hv:` any
 * header value, `h:NAME=` the value of header NAME, `t:` topic; none: the value. `!` negates. Several are all to hold.
 *
 * Expressions are JavaScript's, unanchored, over UTF-8 (each invalid byte counts as U+FFFD), with `(?i)` `(?s)` `(?m)`
 * in front. Those without special characters are compared as bytes. Null matches nothing.
 */
import { KlogError } from '../../errors.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import { argumentBytes } from '../argument-bytes.js';
import { rangeEquals } from './byte-range.js';
import { compileLinearRegExp } from './linear-regexp.js';

export type RecordFilter = (cursor: RecordCursor, topic: string) => boolean;

type RangeMatcher = (source: Uint8Array, start: number, end: number) => boolean;

/** Of all patterns together. KLOG_USAGE for a bad one. */
export function compileGrep(patterns: readonly string[]): RecordFilter {
  const filters = patterns.map(compilePattern);
  if (filters.length === 1) return filters[0]!;
  return (cursor, topic) => {
    for (let i = 0; i < filters.length; i++) if (!filters[i]!(cursor, topic)) return false;
    return true;
  };
}

function compilePattern(pattern: string): RecordFilter {
  const negated = pattern.startsWith('!');
  const filter = compilePrefixed(negated ? pattern.slice(1) : pattern, pattern);
  return negated ? (cursor, topic) => !filter(cursor, topic) : filter;
}

function compilePrefixed(text: string, pattern: string): RecordFilter {
  const prefix = /^(?:k|v|hk|hv|h|t):/.exec(text)?.[0] ?? '';
  const rest = text.slice(prefix.length);
  const what = `-G ${pattern}`;
  if (prefix === 'h:') {
    const equals = rest.indexOf('=');
    if (equals < 0) throw new KlogError('KLOG_USAGE', `${what}: h: needs a name and =`, { hint: '-G h:NAME=REGEX' });
    return matchHeader(argumentBytes(rest.slice(0, equals)), compileMatcher(rest.slice(equals + 1), what));
  }
  const matches = compileMatcher(rest, what);
  switch (prefix) {
    case 'k:':
      return (cursor) => cursor.keyStart >= 0 && matches(cursor.buffer, cursor.keyStart, cursor.keyEnd);
    case 'hk:':
      return (cursor) => {
        cursor.rewindHeaders();
        while (cursor.nextHeader()) {
          if (matches(cursor.buffer, cursor.headerKeyStart, cursor.headerKeyEnd)) return true;
        }
        return false;
      };
    case 'hv:':
      return matchHeader(undefined, matches);
    case 't:': {
      let known: string | undefined;
      let answer = false;
      return (_cursor, topic) => {
        if (topic !== known) {
          known = topic;
          const bytes = Buffer.from(topic, 'utf8');
          answer = matches(bytes, 0, bytes.length);
        }
        return answer;
      };
    }
    default:
      return (cursor) => cursor.valueStart >= 0 && matches(cursor.buffer, cursor.valueStart, cursor.valueEnd);
  }
}

function matchHeader(name: Uint8Array | undefined, matches: RangeMatcher): RecordFilter {
  return (cursor) => {
    const { buffer } = cursor;
    cursor.rewindHeaders();
    while (cursor.nextHeader()) {
      if (cursor.headerValueStart < 0) continue;
      if (name !== undefined && !rangeEquals(buffer, cursor.headerKeyStart, cursor.headerKeyEnd, name)) continue;
      if (matches(buffer, cursor.headerValueStart, cursor.headerValueEnd)) return true;
    }
    return false;
  };
}

function compileMatcher(source: string, what: string): RangeMatcher {
  if (!/[\\^$.*+?()[\]{}|]/.test(source)) {
    const bytes = argumentBytes(source);
    return (buffer, start, end) => asBuffer(buffer, start, end).includes(bytes);
  }
  const expression = compileLinearRegExp(source, what);
  return (buffer, start, end) => expression.test(asBuffer(buffer, start, end).toString('utf8'));
}

function asBuffer(source: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(source.buffer, source.byteOffset + start, end - start);
}
