/**
 * A dump as kafka-dump-log prints it, line for line, so that who reads one reads the other. What it does not say stands
 * behind its fields: `durable: false`, `problem: …`.
 */
import type { TimestampType } from '../../format/log-record.js';
import { MAGIC_V2 } from '../../format/record-batch.js';
import type { RecordCursor } from '../../format/record-cursor.js';
import type { OutputBuffer } from '../record-format/output-buffer.js';
import { writeEscaped } from '../record-format/terminal-escape.js';
import { escapeLine } from '../terminal-text.js';
import type { BatchFields, BatchVerdict } from './batch-fields.js';
import type { ControlFields } from './control-fields.js';
import type { DumpFile } from './dump-file.js';
import type { DumpFormat, TrailingBytes } from './dump-writer.js';

export interface TextDumpOptions {
  /** Keys and values, not only what is known of them. */
  readonly withContent: boolean;
  /** Offset, times and sizes of records. */
  readonly withMetadata: boolean;
  /** Escapes control characters of the data. */
  readonly forTerminal: boolean;
}

const TIMESTAMP_TYPES: Readonly<Record<TimestampType, string>> = {
  create: 'CreateTime',
  append: 'LogAppendTime',
  none: 'NoTimestampType',
};

export function createTextDump(options: TextDumpOptions): DumpFormat {
  const { withContent, withMetadata, forTerminal } = options;
  const writeData = (source: Uint8Array, start: number, end: number, out: OutputBuffer) => {
    if (forTerminal) writeEscaped(source, start, end, out);
    else out.writeBytes(source, start, end);
  };
  return {
    begin(file, out) {
      out.writeText(`Dumping ${escapeLine(file.shown)}\n`);
      const intro = introOf(file);
      if (intro !== undefined) out.writeText(`${intro}\n`);
    },
    batch(_file, fields, verdict, out) {
      out.writeText(batchLine(fields, verdict));
    },
    record(_file, cursor, batch, control, out) {
      out.writeAscii('|');
      if (withMetadata) writeMetadata(cursor, batch, control, out, writeData);
      if (withContent && control === undefined) {
        if (cursor.keyStart >= 0) {
          out.writeAscii(' key: ');
          writeData(cursor.buffer, cursor.keyStart, cursor.keyEnd, out);
        }
        if (cursor.valueStart >= 0) {
          out.writeAscii(' payload: ');
          writeData(cursor.buffer, cursor.valueStart, cursor.valueEnd, out);
        }
      }
      out.writeAscii('\n');
    },
    content(_file, _type, _fields, lines, out) {
      for (const line of lines) out.writeText(`${escapeLine(line)}\n`);
    },
    empty(file, out) {
      out.writeText(`${escapeLine(file.shown)} is empty.\n`);
    },
    trailing(file, trailing, out) {
      out.writeText(`${trailingLine(file, trailing)}\n`);
    },
    damage(file, position, problem, out) {
      const where = position === undefined ? escapeLine(file.shown) : `position ${position}`;
      out.writeText(`Found damage at ${where}: ${escapeLine(problem)}\n`);
    },
  };
}

function introOf({ kind, name, baseOffset }: DumpFile): string | undefined {
  if (kind !== 'log') return undefined;
  if (name === 'bootstrap.checkpoint') return 'KRaft bootstrap snapshot';
  const [, offset, epoch] = /^(\d{20})-(\d{10})\.checkpoint$/.exec(name) ?? [];
  if (offset !== undefined) return `Snapshot end offset: ${BigInt(offset)}, epoch: ${Number(epoch)}`;
  return baseOffset === undefined ? undefined : `Log starting offset: ${baseOffset}`;
}

function batchLine(fields: BatchFields, { problem, durable }: BatchVerdict): string {
  const { magic, position, size, timestampType, compresscodec } = fields;
  const durability = durable === false ? ' durable: false' : '';
  const verdict = `isvalid: ${problem === undefined}${durability}${problem === undefined ? '' : ` problem: ${problem}`}\n`;
  if (timestampType === null) return `position: ${position} size: ${size} magic: ${magic} ${verdict}`;
  const head =
    magic < MAGIC_V2
      ? `offset: ${shown(fields.lastOffset)}`
      : `baseOffset: ${shown(fields.baseOffset)} lastOffset: ${shown(fields.lastOffset)} count: ${shown(fields.count)}` +
        ` baseSequence: ${shown(fields.baseSequence)} lastSequence: ${shown(fields.lastSequence)}` +
        ` producerId: ${shown(fields.producerId)} producerEpoch: ${shown(fields.producerEpoch)}` +
        ` partitionLeaderEpoch: ${shown(fields.partitionLeaderEpoch)} isTransactional: ${fields.isTransactional}` +
        ` isControl: ${fields.isControl} deleteHorizonMs: ${optionalLong(fields.deleteHorizonMs)}`;
  return (
    `${head} position: ${position} ${TIMESTAMP_TYPES[timestampType]}: ${shown(fields.maxTimestamp)}` +
    ` size: ${size} magic: ${magic} compresscodec: ${compresscodec ?? '?'} crc: ${shown(fields.crc)} ${verdict}`
  );
}

function shown(value: number | null): string {
  return value === null ? '?' : String(value);
}

/** As Java prints an OptionalLong. */
export function optionalLong(value: number | null): string {
  return value === null ? 'OptionalLong.empty' : `OptionalLong[${value}]`;
}

type WriteData = (source: Uint8Array, start: number, end: number, out: OutputBuffer) => void;

function writeMetadata(
  cursor: RecordCursor,
  batch: BatchFields,
  control: ControlFields | undefined,
  out: OutputBuffer,
  writeData: WriteData,
): void {
  const { keyStart, keyEnd, valueStart, valueEnd } = cursor;
  out.writeAscii(` offset: ${cursor.offset} ${TIMESTAMP_TYPES[cursor.timestampType]}: ${cursor.timestamp}`);
  out.writeAscii(` keySize: ${keyStart < 0 ? -1 : keyEnd - keyStart}`);
  out.writeAscii(` valueSize: ${valueStart < 0 ? -1 : valueEnd - valueStart}`);
  if (batch.magic >= MAGIC_V2) {
    out.writeAscii(` sequence: ${cursor.sequence} headerKeys: [`);
    cursor.rewindHeaders();
    for (let i = 0; cursor.nextHeader(); i++) {
      if (i > 0) out.writeAscii(',');
      writeData(cursor.buffer, cursor.headerKeyStart, cursor.headerKeyEnd, out);
    }
    out.writeAscii(']');
  }
  if (control === undefined) return;
  if (control.coordinatorEpoch === undefined) out.writeAscii(` controlType: ${control.type}(${control.typeId})`);
  else out.writeAscii(` endTxnMarker: ${control.type} coordinatorEpoch: ${control.coordinatorEpoch}`);
}

function trailingLine(file: DumpFile, { bytes, content, problem, durable }: TrailingBytes): string {
  const what = content === 'zeros' ? 'zeros' : (problem ?? content);
  const durability = durable === false ? ', not durable yet' : '';
  return `Found ${bytes} invalid bytes at the end of ${escapeLine(file.name)}: ${what}${durability}`;
}
