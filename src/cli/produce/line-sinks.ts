import type { LineLayout } from '../../clients/producer.js';
import { KlogError } from '../../errors.js';
import type { RecordHeader } from '../../format/log-record.js';
import type { LineAppenderNow, LineSink } from './delimited-lines.js';
import { printable } from './printable.js';
import { isPlain, type RecordFields } from './record-fields.js';
import type { RecordTarget } from './record-target.js';

/** How much of a line that is too long is read on to tell its size: some inputs have no end. */
const MAX_MEASURED_BYTES = 1024 * 1024 * 1024;

/** Lines become records of one topic. */
abstract class TargetLines implements LineSink {
  protected readonly target: RecordTarget;
  /** Of the lines of this chunk. */
  protected timestamp = -1;
  /** What a line is called in errors. */
  noun = 'line';
  readonly appender: LineAppenderNow | undefined;
  readonly #fixedTimestamp: number | undefined;
  #tooLongBytes = 0;

  /** `layout` where all lines are of it. */
  constructor(target: RecordTarget, fixedTimestamp: number | undefined, layout: LineLayout | undefined) {
    this.target = target;
    this.#fixedTimestamp = fixedTimestamp;
    const appender = layout === undefined ? undefined : target.lineAppender?.(layout);
    if (appender === undefined) return;
    this.appender = {
      append: (bytes, start, end) => appender.append(bytes, start, end, this.timestamp),
      get position() {
        return appender.position;
      },
    };
  }

  /** The time of the next lines, unless `--timestamp` has fixed it. */
  setTime(now: number): void {
    this.timestamp = this.#fixedTimestamp ?? now;
  }

  abstract line(bytes: Buffer, start: number, end: number): boolean;

  tooLongPart(_bytes: Buffer, start: number, end: number, limit: number): void {
    this.#tooLongBytes += end - start;
    if (this.#tooLongBytes > MAX_MEASURED_BYTES) this.tooLong(MAX_MEASURED_BYTES, limit, 'more than ');
  }

  tooLong(length: number, limit: number, atLeast = ''): void {
    const { topic } = this.target;
    throw new KlogError(
      'MESSAGE_TOO_LARGE',
      `a ${this.noun} of ${atLeast}${length} bytes is larger than the ${limit} bytes that ${topic} takes (max.message.bytes)`,
      { topic, hint: 'Raise max.message.bytes of the topic' },
    );
  }

  ready(): Promise<void> {
    return this.target.ready();
  }
}

/** A line is a value, and nothing else is asked for. */
export class PlainLines extends TargetLines {
  constructor(target: RecordTarget, timestamp: number | undefined, delimiter: Buffer) {
    super(target, timestamp, layoutOf(delimiter, undefined));
  }

  line(bytes: Buffer, start: number, end: number): boolean {
    return this.target.appendValue(bytes, start, end, this.timestamp);
  }
}

export interface KeySplit {
  /** `-K`: at least one byte. */
  readonly separator: Buffer;
  /** A line without it has a null key. */
  readonly optional: boolean;
}

/** A line is a value, or with a separator key and value; the rest comes from the command line. */
export class FieldLines extends TargetLines {
  readonly #fields: RecordFields;
  readonly #headers: readonly RecordHeader[] | null;
  readonly #split: KeySplit | undefined;

  constructor(target: RecordTarget, fields: RecordFields, split: KeySplit | undefined, delimiter: Buffer) {
    super(target, fields.timestamp, keyedLayout(fields, split, delimiter));
    this.#fields = fields;
    this.#headers = fields.headers.length === 0 ? null : fields.headers;
    this.#split = split;
  }

  line(bytes: Buffer, start: number, end: number): boolean {
    const split = this.#split;
    if (split === undefined) {
      const { key } = this.#fields;
      return this.#append(key, 0, key === null ? -1 : key.length, bytes, start, end);
    }
    const at = findWithin(bytes, start, end, split.separator);
    if (at >= 0) return this.#append(bytes, start, at, bytes, at + split.separator.length, end);
    if (split.optional) return this.#append(null, -1, -1, bytes, start, end);
    throw new KlogError('KLOG_BAD_INPUT', `no separator '${printable(split.separator)}' between key and value`, {
      hint: 'With --key-optional such lines have a null key',
    });
  }

  #append(
    keyBuffer: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): boolean {
    const { partition, emptyIsNull, encodeValue } = this.#fields;
    const { target, timestamp } = this;
    const headers = this.#headers;
    if (emptyIsNull && start === end) {
      return target.append(keyBuffer, keyStart, keyEnd, null, -1, -1, timestamp, headers, partition);
    }
    if (encodeValue !== undefined) {
      const value = encodeValue(bytes.subarray(start, end));
      return target.append(keyBuffer, keyStart, keyEnd, value, 0, value.length, timestamp, headers, partition);
    }
    return target.append(keyBuffer, keyStart, keyEnd, bytes, start, end, timestamp, headers, partition);
  }
}

function layoutOf(delimiter: Buffer, keySeparator: Buffer | undefined): LineLayout | undefined {
  return delimiter.length === 1 ? { delimiter: delimiter[0]!, keySeparator } : undefined;
}

/** Undefined where more is asked for than key and value. */
function keyedLayout(fields: RecordFields, split: KeySplit | undefined, delimiter: Buffer): LineLayout | undefined {
  if (split === undefined || !isPlain({ ...fields, key: null })) return undefined;
  return layoutOf(delimiter, split.separator);
}

/** Where `needle` begins within the range, or -1. Never looks beyond `end`: a line may be short and its chunk long. */
function findWithin(bytes: Uint8Array, start: number, end: number, needle: Uint8Array): number {
  const first = needle[0]!;
  const last = end - needle.length;
  for (let at = start; at <= last; at++) {
    if (bytes[at] === first && matchesAt(bytes, at, needle)) return at;
  }
  return -1;
}

function matchesAt(bytes: Uint8Array, at: number, needle: Uint8Array): boolean {
  for (let i = 1; i < needle.length; i++) if (bytes[at + i] !== needle[i]) return false;
  return true;
}
