/**
 * A dump as JSON, one object a line:
 *
 * | `type` | fields |
 * |---|---|
 * | `batch` | those of {@link BatchFields}, `valid`; `problem` where it is not; `durable` where klog knows |
 * | `record` | those of `-J` (json-record.ts), then `sequence`; of a control batch `control`, `coordinatorEpoch` |
 * | `offsetIndexEntry` `timeIndexEntry` `abortedTransaction` `producerSnapshotEntry` | those of the entry |
 * | `offsetCheckpoint` `leaderEpochCheckpoint` `partitionMetadata` `metaProperties` `klogEnd` | the content of the file |
 * | `trailingBytes` | `position`, `bytes`, `content`: zeros, partial or garbage; `problem`, `durable` |
 * | `damage` | `position`, `problem` |
 *
 * All but records begin with `topic` and `partition`, where the directory's name tells them, and `file`.
 */
import { emptyContext } from '../record-format/format-context.js';
import { createJsonPrinter } from '../record-format/json-record.js';
import { Constant, OutputBuffer } from '../record-format/output-buffer.js';
import type { DumpFile } from './dump-file.js';
import type { DumpFormat, FieldValue } from './dump-writer.js';

export interface JsonDumpOptions {
  /** Values of records, too. */
  readonly withContent: boolean;
  readonly forTerminal: boolean;
}

const RECORD_START = new Constant('{"type":"record",');
/** What the record printer writes for a topic that is not known. */
const UNKNOWN_PLACE = '"topic":"","partition":-1,';
const RECORD_END = '}\n';

/** DEL, C1 and bidi controls, which JSON itself leaves as they are. */
const HIDDEN = /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export function createJsonDump({ withContent, forTerminal }: JsonDumpOptions): DumpFormat {
  const printer = createJsonPrinter({ forTerminal, withoutValue: !withContent });
  const scratch = new OutputBuffer();
  const context = emptyContext();
  const writeLine = (
    type: string,
    { topic, partition, shown }: DumpFile,
    fields: Readonly<Record<string, FieldValue | undefined>>,
    out: OutputBuffer,
  ) => {
    const text = JSON.stringify({ type, topic, partition, file: shown, ...fields });
    out.writeText(forTerminal ? text.replace(HIDDEN, escapeUnicode) : text);
    out.writeAscii('\n');
  };
  return {
    begin() {},
    batch(file, { position, ...fields }, { problem, durable }, out) {
      writeLine('batch', file, { position, ...fields, valid: problem === undefined, problem, durable }, out);
    },
    record(file, cursor, _batch, control, out) {
      context.topic = file.topic ?? '';
      context.partition = file.partition ?? -1;
      scratch.clear();
      printer.print(cursor, context, scratch);
      out.writeConstant(RECORD_START);
      const start = 1 + (file.topic === undefined ? UNKNOWN_PLACE.length : 0);
      out.writeBytes(scratch.buffer, start, scratch.length - RECORD_END.length);
      out.writeAscii(`,"sequence":${cursor.sequence}`);
      if (control !== undefined) {
        out.writeAscii(`,"control":"${control.type}"`);
        if (control.coordinatorEpoch !== undefined) out.writeAscii(`,"coordinatorEpoch":${control.coordinatorEpoch}`);
      }
      out.writeAscii(RECORD_END);
    },
    content(file, type, fields, _lines, out) {
      writeLine(type, file, fields, out);
    },
    empty() {},
    trailing(file, { position, bytes, content, problem, durable }, out) {
      writeLine('trailingBytes', file, { position, bytes, content, problem, durable }, out);
    },
    damage(file, position, problem, out) {
      writeLine('damage', file, { position, problem }, out);
    },
  };
}

function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
