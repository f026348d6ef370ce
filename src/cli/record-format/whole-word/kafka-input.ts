/**
 * `kafka` for input: what kafka.ts prints with the same properties, or `kafka-console-producer` would read. That look
 * has no escapes: a value that is the null literal is null, and separators within keys, headers and values divide them.
 */
import { KlogError } from '../../../errors.js';
import { argumentBytes } from '../../argument-bytes.js';
import { FormatReader } from '../format-language/format-reader.js';
import type { InputStep, NumberTarget, TextStep } from '../format-language/input-steps.js';
import { RAW } from '../format-language/text-decoders.js';
import type { TimeInput } from '../format-language/time-input.js';
import { UTC } from '../format-language/time-zone.js';
import type { RecordReader } from '../input-record.js';
import { type KafkaColumn, type KafkaLayout, parseKafkaProperties } from './kafka-properties.js';

/** KLOG_USAGE for an unknown property, and for what nothing could be told apart by. */
export function createKafkaReader(properties: Readonly<Record<string, string>>, strict: boolean): RecordReader {
  const layout = parseKafkaProperties(properties);
  const { columns, texts } = layout;
  if (!columns.includes('print.value')) {
    throw new KlogError('KLOG_USAGE', '-f kafka without print.value has no values to read');
  }
  for (const name of ['key.separator', 'line.separator', 'headers.separator'] as const) {
    if (texts[name] === '')
      throw new KlogError('KLOG_USAGE', `Property ${name} is empty: nothing says what ends where`);
  }
  const keySeparator = argumentBytes(texts['key.separator']);
  const lineSeparator = argumentBytes(texts['line.separator']);
  const steps = columns.flatMap((column, i) =>
    stepsOf(column, layout, i + 1 < columns.length ? keySeparator : lineSeparator),
  );
  return new FormatReader(steps, { strict });
}

/** `end`: what stands behind the column. */
function stepsOf(column: KafkaColumn, { texts }: KafkaLayout, end: Buffer): InputStep[] {
  const nullText = argumentBytes(texts['null.literal']);
  const literal: InputStep = { kind: 'literal', bytes: end };
  const text = (target: 'key' | 'value'): TextStep => {
    return {
      kind: 'text',
      target,
      verb: `the ${target}`,
      extent: { by: 'delimiter', bytes: end },
      decode: RAW,
      nullText,
    };
  };
  switch (column) {
    case 'print.timestamp':
      return [{ kind: 'time', time: TIMESTAMP, verb: 'the timestamp' }, literal];
    case 'print.partition':
      return [...labelled('Partition:', 'partition'), literal];
    case 'print.offset':
      return [...labelled('Offset:', 'offset'), literal];
    case 'print.epoch':
      return [...labelled('Epoch:', 'leaderEpoch'), literal];
    case 'print.headers': {
      const separator = argumentBytes(texts['headers.separator']);
      return [{ kind: 'headerList', separator, nullText, end, verb: 'the headers' }];
    }
    case 'print.key':
      return [text('key')];
    case 'print.value':
      return [text('value')];
  }
}

function labelled(label: string, target: NumberTarget): InputStep[] {
  return [
    { kind: 'literal', bytes: Buffer.from(label) },
    { kind: 'number', target, layout: { as: 'digits' }, verb: label },
  ];
}

const TIMESTAMP: TimeInput = {
  layout: '-f kafka',
  zone: UTC,
  noTimestamp: ['NO_TIMESTAMP', 'CreateTime:-1', 'LogAppendTime:-1'],
  read: (text, fields) => {
    if (text.oneOf(['CreateTime:', 'LogAppendTime:']) < 0) return false;
    const timestamp = text.digits(1, 16);
    fields.epochSeconds = Math.floor(timestamp / 1000);
    fields.millisecond = timestamp % 1000;
    return Number.isSafeInteger(timestamp);
  },
};
