/**
 * `--filter EXPR`: a JavaScript expression over `v` (the value: parsed JSON, else text, null for null), `k` (the key as
 * text or null) and `m` (`topic partition offset timestamp headers`, the last an object of texts; a repeated name keeps
 * its last value). The record is kept when the answer is truthy. It is the user's own code and runs as such: no
 * sandbox, no time limit.
 */
import { KlogError } from '../../errors.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import type { RecordFilter } from './grep.js';

export interface RecordMetadataView {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string | null>>;
}

export type RecordExpression = (v: unknown, k: string | null, m: RecordMetadataView) => unknown;

/** `what` names the flag in messages. KLOG_USAGE when it is no JavaScript expression. */
export function compileExpression(source: string, what: string): RecordExpression {
  if (source.trim() === '') throw new KlogError('KLOG_USAGE', `${what} is empty`, { hint: `For example 'v.n > 10'.` });
  try {
    // On its own first: `1) || (2` would compile in parentheses.
    new Function(`"use strict"; return [${source}\n];`);
    return new Function('v', 'k', 'm', `"use strict"; return (${source}\n);`) as RecordExpression;
  } catch (error) {
    throw new KlogError('KLOG_USAGE', `${what} is no JavaScript expression: ${(error as Error).message}`, {
      cause: error,
      hint: `Write an expression over v, k and m, for example 'v.n > 10 && k.startsWith("u")'.`,
    });
  }
}

/**
 * As {@link RecordFilter} with the partition, which only the caller knows. An exception becomes KLOG_USAGE naming the
 * record.
 */
export function compileFilter(
  source: string,
  what = '--filter',
): (...args: [...Parameters<RecordFilter>, number]) => boolean {
  const expression = compileExpression(source, what);
  return (cursor, topic, partition) => {
    const { offset } = cursor;
    try {
      return Boolean(expression(recordValue(cursor), recordKey(cursor), recordMetadata(cursor, topic, partition)));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new KlogError('KLOG_USAGE', `${what} failed on ${topic}:${partition}@${offset}: ${reason}`, {
        cause: error,
        topic,
        partition,
        offset,
        hint: 'Use ?. for fields that some records lack.',
      });
    }
  };
}

export function recordValue(cursor: RecordCursor): unknown {
  if (cursor.valueStart < 0) return null;
  const text = textOf(cursor.buffer, cursor.valueStart, cursor.valueEnd);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function recordKey(cursor: RecordCursor): string | null {
  return cursor.keyStart < 0 ? null : textOf(cursor.buffer, cursor.keyStart, cursor.keyEnd);
}

/** Headers are read when asked for. */
function recordMetadata(cursor: RecordCursor, topic: string, partition: number): RecordMetadataView {
  let headers: Record<string, string | null> | undefined;
  return {
    topic,
    partition,
    offset: cursor.offset,
    timestamp: cursor.timestamp,
    get headers() {
      headers ??= headersOf(cursor);
      return headers;
    },
  };
}

function headersOf(cursor: RecordCursor): Record<string, string | null> {
  const headers = Object.create(null) as Record<string, string | null>;
  for (const { key, value } of cursor.headers()) headers[key] = value === null ? null : textOf(value, 0, value.length);
  return headers;
}

function textOf(source: Uint8Array, start: number, end: number): string {
  return Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8');
}
