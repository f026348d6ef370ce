import type { OffsetSpec } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import { tryParseDuration } from './parse-duration.js';
import { type TimeContext, tryParseTime } from './parse-time.js';

/** A half-open range of offsets, meant for each partition on its own. */
export interface OffsetRange {
  readonly from?: OffsetSpec;
  readonly to?: OffsetSpec;
}

/** What `-o` chose. */
export interface OffsetSelection extends OffsetRange {
  /** `0=5,1=7`: only these partitions, each with its own range. */
  readonly partitions?: ReadonlyMap<number, OffsetRange>;
  /** kcat's `stored`: where the group has committed. */
  readonly stored?: true;
}

/** Kafka's, rpk's and kcat's words; `-2` and `-1` of Kafka's tools are not: here they count from the end. */
const START_WORDS: readonly string[] = ['start', 'beginning', 'earliest', 'oldest', 'first'];
const END_WORDS: readonly string[] = ['end', 'latest', 'newest', 'last'];

const HINT = 'Offsets look like start, end, 42, 10:20, -5, +5, @2024-05-01, @-15m:now, 0=5,1=7';

/**
 * The offset language:
 *
 *     start end N N: N:M N-M :M -N +N start+N end-N X:Y    offsets, X and Y any of them
 *     @T @T: @T1:T2 @:T2                                   times; a duration as T2 counts from T1
 *     0=X,1=Y:Z                                            per partition
 *     s@T e@T stored                                       kcat's; `previous` is what an earlier -o said
 */
export function parseOffset(text: string, time: TimeContext, previous?: OffsetSelection): OffsetSelection {
  if (text === 'stored') return { ...previous, stored: true };
  if (text.startsWith('s@')) return { ...previous, from: timePoint(text.slice(2), time, text) };
  if (text.startsWith('e@')) return { ...previous, to: timePoint(text.slice(2), time, text) };
  if (/^\d+=/.test(text)) return { partitions: parsePartitions(text, time) };
  return parseRange(text, time);
}

/** One place, as `--from` and `--to` take it: times need no `@`. */
export function parseOffsetPoint(text: string, time: TimeContext): OffsetSpec {
  const point = tryOffsetPoint(text) ?? tryTimePoint(text.startsWith('@') ? text.slice(1) : text, time);
  if (point === undefined) throw badOffset(text);
  return point;
}

function parsePartitions(text: string, time: TimeContext): ReadonlyMap<number, OffsetRange> {
  const ranges = new Map<number, OffsetRange>();
  for (const part of text.split(',')) {
    const [, partition, range] = /^(\d{1,9})=(.*)$/.exec(part) ?? [];
    if (partition === undefined || range === undefined) throw badOffset(text);
    if (ranges.has(Number(partition)))
      throw new KlogError('KLOG_USAGE', `'${text}' names partition ${partition} twice`);
    ranges.set(Number(partition), parseRange(range, time));
  }
  return ranges;
}

function parseRange(text: string, time: TimeContext): OffsetRange {
  if (text.startsWith('@')) return parseTimeRange(text, time);
  const whole = tryOffsetPoint(text);
  if (whole !== undefined) return { from: whole };
  const rpkRange = /^(\d+)-(\d+)$/.exec(text);
  if (rpkRange !== null) return checkedRange(text, offsetPoint(rpkRange[1]!, text), offsetPoint(rpkRange[2]!, text));
  const colon = text.indexOf(':');
  if (colon < 0 || text === ':') throw badOffset(text);
  const [left, right] = [text.slice(0, colon), text.slice(colon + 1)];
  const to = right.startsWith('@') ? timePoint(right.slice(1), time, text) : offsetPoint(right, text);
  return checkedRange(text, offsetPoint(left, text), to);
}

/** `@T1:T2`. Times hold colons themselves, so every colon is tried; a text that is one time is one time. */
function parseTimeRange(text: string, time: TimeContext): OffsetRange {
  const body = text.slice(1);
  const whole = tryTimePoint(body, time);
  if (whole !== undefined) return { from: whole };
  for (let colon = body.indexOf(':'); colon >= 0; colon = body.indexOf(':', colon + 1)) {
    const left = body.slice(0, colon);
    const right = body.slice(colon + 1);
    if (left === '' && right === '') break;
    const from = left === '' ? undefined : tryTimePoint(left, time);
    if (left !== '' && from === undefined) continue;
    if (right === '') return checkedRange(text, from, undefined);
    const to = tryRangeEnd(right, left, from, time);
    if (to !== undefined) return checkedRange(text, from, to);
  }
  throw badOffset(text);
}

function tryRangeEnd(
  text: string,
  left: string,
  from: OffsetSpec | undefined,
  time: TimeContext,
): OffsetSpec | undefined {
  if (END_WORDS.includes(text)) return 'end';
  const plain = text.startsWith('@') ? text.slice(1) : text;
  const duration = tryParseDuration(plain);
  // As in rpk: behind a time of day a duration is a length, behind another duration it is "ago".
  if (duration !== undefined && !/^[-+]/.test(left) && typeof from === 'object' && 'timestamp' in from) {
    return { timestamp: from.timestamp + Math.round(duration) };
  }
  return tryTimePoint(plain, time);
}

function tryTimePoint(text: string, time: TimeContext): { readonly timestamp: number } | undefined {
  const duration = tryParseDuration(text);
  const timestamp = duration === undefined ? tryParseTime(text, time) : Math.round(time.now - duration);
  return timestamp === undefined ? undefined : { timestamp };
}

function timePoint(text: string, time: TimeContext, whole: string): OffsetSpec {
  if (END_WORDS.includes(text)) return 'end';
  const point = tryTimePoint(text, time);
  if (point === undefined) throw badOffset(whole);
  return point;
}

function offsetPoint(text: string, whole: string): OffsetSpec | undefined {
  if (text === '') return undefined;
  const point = tryOffsetPoint(text);
  if (point === undefined) throw badOffset(whole);
  return point;
}

/** `start end N -N +N start+N end-N`. */
function tryOffsetPoint(text: string): OffsetSpec | undefined {
  if (START_WORDS.includes(text)) return 'start';
  if (END_WORDS.includes(text)) return 'end';
  const [, word, sign, digits] = /^([a-z]*)([+-]?)(\d+)$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits === undefined || !Number.isSafeInteger(number)) return undefined;
  if (word === '' && sign === '') return number;
  if (sign === '+' && (word === '' || START_WORDS.includes(word!))) return { fromStart: number };
  if (sign === '-' && (word === '' || END_WORDS.includes(word!))) return { fromEnd: number };
  return undefined;
}

function checkedRange(text: string, from: OffsetSpec | undefined, to: OffsetSpec | undefined): OffsetRange {
  if (isBackwards(from, to)) throw new KlogError('KLOG_USAGE', `'${text}' ends before it begins`);
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** Only what can be told without the log. */
export function isBackwards(from: OffsetSpec | undefined, to: OffsetSpec | undefined): boolean {
  if (typeof from === 'number' && typeof to === 'number') return from > to;
  if (typeof from !== 'object' || typeof to !== 'object') return false;
  if ('timestamp' in from && 'timestamp' in to) return from.timestamp > to.timestamp;
  if ('fromStart' in from && 'fromStart' in to) return from.fromStart > to.fromStart;
  return 'fromEnd' in from && 'fromEnd' in to && from.fromEnd < to.fromEnd;
}

function badOffset(text: string): KlogError {
  return new KlogError('KLOG_USAGE', `'${text}' is no offset`, { hint: HINT });
}
