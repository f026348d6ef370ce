/** What users say in text: records, formats, expressions. */
import { createRecordPrinter } from '../../../src/cli/record-format/create-printer.js';
import { compileExpression } from '../../../src/cli/record-format/filter-expression.js';
import { createFormatReader } from '../../../src/cli/record-format/format-language/format-reader.js';
import { compileGrep } from '../../../src/cli/record-format/grep.js';
import type { RecordReader } from '../../../src/cli/record-format/input-record.js';
import { createJsonReader } from '../../../src/cli/record-format/json-record-input.js';
import { compileLinearRegExp } from '../../../src/cli/record-format/linear-regexp.js';
import { OutputBuffer } from '../../../src/cli/record-format/output-buffer.js';
import { createCsvReader, createTsvReader } from '../../../src/cli/record-format/whole-word/separated-values-input.js';
import { parseDuration } from '../../../src/cli/values/parse-duration.js';
import { parseConfig, parseHeader } from '../../../src/cli/values/parse-key-value.js';
import { parseOffset, parseOffsetPoint } from '../../../src/cli/values/parse-offset.js';
import { parsePartitionList, parsePartitionOperand } from '../../../src/cli/values/parse-partition.js';
import { parseSize } from '../../../src/cli/values/parse-size.js';
import { parseTime } from '../../../src/cli/values/parse-time.js';
import { parseTopicPattern } from '../../../src/cli/values/parse-topic-pattern.js';
import { KlogError } from '../../../src/errors.js';
import { normalizeConfigs } from '../../../src/store/topic-config.js';
import { contextOf, cursorOver } from '../../cli/record-format/support.js';
import { expectKlogError } from '../expect-klog-error.js';
import type { FuzzRandom } from '../fuzz-random.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateText } from '../mutate-text.js';

const JSON_RECORDS = [
  '{"topic":"orders","partition":0,"offset":7,"timestamp":1700000000000,"key":"k","value":"v","headers":[{"key":"h","value":"x"}]}\n',
  '{"key":null,"value":{"a":[1,2,{"b":null}]}}\n{"valueBase64":"AAECAw==","keyBase64":"aw=="}\n',
  '{"value":"\\u00e9\\ud83d\\ude00\\n"}  {"value":""}\n[{"value":"1"},{"value":"2"}]',
  '{"topic":"t","partition":1,"offset":2,"tstype":"create","ts":3,"broker":0,"key":"k","payload":"p","headers":["a","b"]}\n',
];
const FORMATS = [
  '%t/%p@%o %k=%v\\n',
  '%d{rfc3339} %v{base64}\\n',
  '%h{%k=%v,}\\n',
  '%v{json}%v{.a.b[0]}',
  '%d{strftime[%Y-%m-%d %H:%M]}\\n',
  '%d{go[2006-01-02T15:04:05Z07:00]}',
  '%a{compression} %x %y %[ %| %i\\x00\\u00e9',
  '%K{big32}%V{ascii}%v{unpack[iIqc$]}',
  '%%%{%}',
  'kcat:%t [%p] %o %k: %s\\n',
  'json',
  'csv',
  'table',
  'kafka',
  '%v{truncate[5]}',
  '%T{ms} %d{rel}',
  '%e %H',
];
const INPUT_FORMATS = [
  '%k %v\\n',
  '%k\\t%v{json}\\n',
  '%t %p %v\\n',
  '%V{big32}%v',
  '%h{%k=%v }%v\\n',
  '%v{3}%k{2}',
  '%d %k,%v\\n',
  '%v{re[\\d+]}',
  '%d{iso} %k{c} %v{unpack[>I]}\\n',
  '%d{strftime[%F %r%z]} %o{hex};%h{name:h,null=-}\\n',
  '%d{go[Mon Jan _2 15:04:05.999 2006]} %v\\n',
  'kcat:%T %K %k %S %s\\n',
];
const EXPRESSIONS = [
  '5',
  '-10',
  '+3',
  'start',
  'end',
  '@2024-01-01',
  's@1h',
  'e@-5m',
  '0=5,1=7',
  ':10',
  '5:10',
  '-10:end',
  '2024-01-01T00:00:00Z',
  '1700000000000',
  '15m',
  '1h30m',
  '1.5G',
  '64K',
  'retention.ms=1d',
  'a=b:c',
  'orders:0@42',
  'orders[3]@end',
  '0,2-5',
  '/ord.*/',
  '^o(a|b)+$',
  'yesterday 10:00',
  '10:00 Europe/Berlin',
  '@1700000000..1800000000',
  'value.a > 3 && key == "x"',
  'value.items[0].price * 2',
  'cleanup.policy=compact,delete',
];
const SEPARATED_VALUES = [
  'topic,partition,offset,timestamp,key,value,headers\norders,3,0,1700000000000,k,"a,b\t""c""\n","[{""key"":""h"",""value"":null}]"\n',
  'topic\tpartition\toffset\ttimestamp\tkey\tvalue\theaders\norders\t3\t0\t-1\t\\N\ta,b\\t"c"\\n\t\n',
  'key,value\r\n,""\r\n"",\r\n\r\na,b',
  'value\tkey\n\\xff\\0\t\\\\N\n\n',
];
const time = { now: 1_700_000_000_000, timeZone: 'UTC' };

export function jsonRecords(): FuzzTarget {
  return {
    name: 'JSON records',
    weight: 110,
    run(random) {
      const text = mutateText(random.pick(JSON_RECORDS), random, JSON_RECORDS);
      // Now and then what is read is long, in small pieces: it must not be gone through again for each.
      const long = random.chance(0.001) ? `{"value":[${'1,'.repeat(100_000)}${text}` : text;
      readRecords(createJsonReader({ maxRecordBytes: 1 << 20 }), Buffer.from(long), random);
    },
  };
}

/** In pieces, past bad records, to the end. */
function readRecords(reader: RecordReader, input: Buffer, random: FuzzRandom): void {
  let left = 10 * input.length + 100;
  const drain = (): void => {
    for (;;) {
      if (left-- < 0) throw new Error('a reader that does not come to an end');
      try {
        if (reader.next() === undefined) return;
        reader.origin();
      } catch (error) {
        if (!(error instanceof KlogError)) throw error;
        if (reader.skipBad() === undefined) return;
      }
    }
  };
  const isWhole = random.chance(0.5);
  for (let at = 0; at < input.length; ) {
    const size = isWhole ? input.length : 1 + random.below(30);
    reader.push(input.subarray(at, at + size));
    at += size;
    drain();
  }
  reader.end();
  drain();
}

export function separatedValues(): FuzzTarget {
  return {
    name: 'csv and tsv',
    weight: 120,
    run(random) {
      const text = mutateText(random.pick(SEPARATED_VALUES), random, SEPARATED_VALUES);
      const create = random.chance(0.5) ? createCsvReader : createTsvReader;
      // A head that names no columns is not skipped: everything behind it is unknown.
      expectKlogError(() => readRecords(create({ maxRecordBytes: 1 << 16 }), Buffer.from(text), random));
    },
  };
}

export function formats(): FuzzTarget {
  const input = Buffer.from('k1 v1\nk2 {"a":{"b":[1]}}\nkey=5,value\n\n\0\0\0\x03abc');
  const records = [
    { key: 'k', value: '{"a":{"b":[1]}}', headers: [['h', 'x']] as const },
    { key: null, value: Buffer.from([0, 0xff, 0x9b, 0x1b]), timestamp: -1 },
    { key: '', value: null },
  ];
  const context = contextOf();
  return {
    name: 'formats',
    weight: 120,
    run(random) {
      expectKlogError(() => {
        if (random.chance(0.3)) {
          const format = mutateText(random.pick(INPUT_FORMATS), random, INPUT_FORMATS);
          return readRecords(createFormatReader(format, { maxRecordBytes: 1 << 16 }), input, random);
        }
        const format = mutateText(random.pick(FORMATS), random, FORMATS);
        const forTerminal = random.chance(0.5);
        const printer = createRecordPrinter({ format, forTerminal, now: () => time.now });
        const out = new OutputBuffer();
        const cursor = cursorOver(records);
        printer.begin?.(out);
        while (cursor.next()) printer.print(cursor, context, out);
      });
    },
  };
}

const PARSERS: readonly ((text: string) => unknown)[] = [
  (text) => parseOffset(text, time),
  (text) => parseOffsetPoint(text, time),
  (text) => parseTime(text, time),
  parseDuration,
  parseSize,
  parsePartitionList,
  (text) => parsePartitionOperand(text, time),
  parseConfig,
  parseHeader,
  parseTopicPattern,
  (text) => compileGrep([text]),
  (text) => normalizeConfigs({ [parseConfig(text).key]: parseConfig(text).value }),
];

export function expressions(): FuzzTarget {
  return {
    name: 'expressions',
    weight: 150,
    run(random) {
      const text = mutateText(random.pick(EXPRESSIONS), random, EXPRESSIONS);
      const parse = random.pick(PARSERS);
      expectKlogError(() => parse(text));
    },
  };
}

const REGULAR = [
  '(a+)+$',
  '(a|aa)+b',
  '^(\\w+\\s?)*$',
  '(?i)x{2,30}y',
  'a.*b.*c.*d',
  '[^a]*(a*)*c',
  '(?:a?){9}a{9}',
  '^(([a-z])+.)+[A-Z]',
];
/** On which an engine that tries everything does not come to an end. */
const LOOKED_AT = [`${'a'.repeat(60)}!`, 'some text to look at'.repeat(20), 'x'.repeat(200)];

export function regularExpressions(): FuzzTarget {
  return {
    name: 'regular expressions',
    weight: 6,
    run(random) {
      const text = random.chance(0.1) ? random.pick(REGULAR) : mutateText(random.pick(REGULAR), random, REGULAR);
      expectKlogError(() => compileLinearRegExp(text, '--grep').test(random.pick(LOOKED_AT)));
    },
  };
}

/** Compiled only: what they do when they run is their user's business. */
export function filters(): FuzzTarget {
  return {
    name: 'filter expressions',
    weight: 60,
    run(random) {
      const text = mutateText(random.pick(EXPRESSIONS), random, EXPRESSIONS);
      expectKlogError(() => compileExpression(text, '--filter'));
    },
  };
}
