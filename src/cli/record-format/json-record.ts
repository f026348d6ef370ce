/**
 * `-J` for output: one object a line, lossless together with json-record-input.ts. Fields in this order:
 *
 * `topic` `partition` `offset` `timestamp` `timestampType` `key`|`keyBase64` `value`|`valueBase64` `headers`
 *
 * null is null and empty is "". What is valid UTF-8 is text, anything else base64 under the name with `Base64`.
 * Keys of headers are UTF-8 by Kafka's protocol; bytes that are not become U+FFFD.
 */
import type { RecordCursor } from '../../format/record-cursor.js';
import type { FormatContext, RecordFormatter } from './format-context.js';
import { encodeJsonText, LONGEST_ESCAPE, writeJsonString, writeJsonText } from './json-text.js';
import { type TemplateSource, templatePerPartition, withKernel } from './kernel-printer.js';
import { Constant, type OutputBuffer } from './output-buffer.js';
import { printerOf, type RecordPrinter } from './record-printer.js';

export interface JsonRecordOptions {
  /** `base64`: keys and values always as base64. Default `auto`. */
  readonly encoding?: 'auto' | 'base64';
  /** Escapes DEL, C1 and bidi controls, too (C0 always are). */
  readonly forTerminal?: boolean;
  /** Leaves the value out, for `--headers-only`: absent means unknown. */
  readonly withoutValue?: boolean;
}

const TIMESTAMP = new Constant(',"timestamp":');
const TIMESTAMP_TYPES = {
  create: new Constant(',"timestampType":"create"'),
  append: new Constant(',"timestampType":"append"'),
  none: new Constant(',"timestampType":"none"'),
} as const;
const NO_HEADERS = new Constant(',"headers":[]}\n');
const HEADERS = new Constant(',"headers":[');
const HEADERS_END = new Constant(']}\n');

interface FieldNames {
  /** `,"key":"` */
  readonly text: Constant;
  /** `,"keyBase64":"` */
  readonly base64: Constant;
  /** `,"key":null` */
  readonly null: Constant;
}

function fieldNames(name: string): FieldNames {
  return {
    text: new Constant(`,"${name}":"`),
    base64: new Constant(`,"${name}Base64":"`),
    null: new Constant(`,"${name}":null`),
  };
}

const SHORT_BYTES = 4096;
/** The longest of the above and a quote, and then some. */
const FIELD_NAME_BYTES = 32;

const KEY = fieldNames('key');
const VALUE = fieldNames('value');

export function createJsonPrinter(options: JsonRecordOptions = {}): RecordPrinter {
  const forTerminal = options.forTerminal === true;
  const asText = options.encoding !== 'base64';
  const withValue = options.withoutValue !== true;
  let topic: string | undefined;
  let partition = -1;
  let prefix = new Constant('');
  /** Merged by time, each record may be of another partition than the one before. */
  const prefixes = new Map<string, Constant>();
  const print: RecordFormatter = (cursor, context, out) => {
    if (context.topic !== topic || context.partition !== partition) {
      ({ topic, partition } = context);
      const name = `${partition}-${topic}`;
      prefix = prefixes.get(name) ?? new Constant(prefixOf(context));
      prefixes.set(name, prefix);
    }
    out.writeConstant(prefix);
    out.writeNumber(cursor.offset);
    out.writeConstant(TIMESTAMP);
    out.writeNumber(cursor.timestamp);
    out.writeConstant(TIMESTAMP_TYPES[cursor.timestampType]);
    writeField(KEY, cursor.buffer, cursor.keyStart, cursor.keyEnd, out, asText, forTerminal);
    if (withValue) writeField(VALUE, cursor.buffer, cursor.valueStart, cursor.valueEnd, out, asText, forTerminal);
    if (cursor.headerCount === 0) {
      out.writeConstant(NO_HEADERS);
      return;
    }
    out.writeConstant(HEADERS);
    writeHeaderObjects(cursor, out, asText, forTerminal);
    out.writeConstant(HEADERS_END);
  };
  const printer = printerOf(print);
  return forTerminal || !asText ? printer : withKernel(printer, jsonTemplate(withValue));
}

function prefixOf({ topic, partition }: Pick<FormatContext, 'topic' | 'partition'>): string {
  return `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":`;
}

/** What is plain of it: ASCII without control bytes, and no headers. */
function jsonTemplate(withValue: boolean): TemplateSource {
  return templatePerPartition((context, timestampType) => {
    const field = (name: string) => Buffer.from(`,"${name}":`);
    const parts = [
      Buffer.from(prefixOf(context)),
      'offset',
      field('timestamp'),
      'timestamp',
      Buffer.from(`,"timestampType":"${timestampType}"`),
      field('key'),
      'jsonKey',
      ...(withValue ? ([field('value'), 'jsonValue'] as const) : []),
      Buffer.from(',"headers":[]}\n'),
    ] as const;
    return { parts, headersStop: true };
  });
}

function writeField(
  names: FieldNames,
  source: Uint8Array,
  start: number,
  end: number,
  out: OutputBuffer,
  asText: boolean,
  forTerminal: boolean,
): void {
  if (start < 0) {
    out.writeConstant(names.null);
    return;
  }
  if (asText) {
    const mark = out.length;
    if (end - start <= SHORT_BYTES) {
      // All room at once: this is every key and most values.
      out.reserve((end - start) * LONGEST_ESCAPE + FIELD_NAME_BYTES);
      out.writeConstant(names.text);
      const length = encodeJsonText(source, start, end, out.buffer, out.words, out.length, forTerminal);
      if (length >= 0) {
        out.buffer[length] = 0x22;
        out.length = length + 1;
        return;
      }
    } else {
      out.writeConstant(names.text);
      out.length--;
      if (writeJsonString(source, start, end, out, forTerminal)) return;
    }
    out.length = mark;
  }
  out.writeConstant(names.base64);
  out.writeBase64(source, start, end);
  out.writeByte(0x22);
}

/** `{"key":"h","value":"x"},…` for the record the cursor stands on. */
export function writeHeaderObjects(
  cursor: RecordCursor,
  out: OutputBuffer,
  asText: boolean,
  forTerminal: boolean,
): void {
  let first = true;
  cursor.rewindHeaders();
  while (cursor.nextHeader()) {
    out.writeAscii(first ? '{"key":' : ',{"key":');
    first = false;
    const { buffer, headerKeyStart, headerKeyEnd } = cursor;
    if (!writeJsonString(buffer, headerKeyStart, headerKeyEnd, out, forTerminal)) {
      writeJsonText(Buffer.from(buffer.subarray(headerKeyStart, headerKeyEnd)).toString('utf8'), out, forTerminal);
    }
    writeField(VALUE, buffer, cursor.headerValueStart, cursor.headerValueEnd, out, asText, forTerminal);
    out.writeByte(0x7d);
  }
}
