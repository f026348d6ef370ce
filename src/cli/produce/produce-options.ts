import type { PartitionerName } from '../../clients/partitioner.js';
import type { Acks, CompressionType } from '../../clients/producer.js';
import { KlogError } from '../../errors.js';
import type { RecordHeader } from '../../format/log-record.js';
import { validateTopicName } from '../../format/topic-name.js';
import { argumentBytes } from '../argument-bytes.js';
import type { CliContext } from '../cli-context.js';
import type { GlobalOptions } from '../global-options.js';
import { refuseInternal } from '../internal-topics.js';
import { exclude, namingOption, need } from '../option-errors.js';
import { createRecordReader } from '../record-format/create-reader.js';
import type { RecordReader } from '../record-format/input-record.js';
import { hasLoneSurrogate } from '../record-format/utf8.js';
import type { ValueFormat } from '../record-format/value-format.js';
import { setting } from '../settings.js';
import { type HeaderValue, parseProperties } from '../values/parse-key-value.js';
import { parseAcks } from './acks.js';
import type { KeySplit } from './line-sinks.js';

/** What stands on the command line. */
export interface ProduceFlags extends GlobalOptions {
  readonly topicOption?: string;
  readonly key?: string;
  readonly keySeparator?: Buffer;
  readonly keyOptional?: boolean;
  readonly header?: readonly HeaderValue[];
  readonly partition?: number;
  readonly delimiter?: Buffer;
  readonly nul?: boolean;
  readonly format?: string;
  readonly jsonRecords?: boolean;
  readonly strict?: boolean;
  readonly property?: readonly string[];
  readonly keepPartition?: boolean;
  readonly value?: string;
  readonly file?: readonly string[];
  readonly lines?: string;
  readonly tombstone?: boolean;
  readonly compression?: CompressionType;
  readonly valueFormat?: ValueFormat;
  readonly timestamp?: string;
  readonly acks?: string;
  readonly linger?: number;
  readonly batchBytes?: number;
  readonly partitioner?: PartitionerName;
  readonly rate?: number;
  readonly create: boolean;
  readonly force?: boolean;
  readonly skipBad?: boolean;
  readonly deadLetter?: string;
  readonly report?: string;
  readonly reportAlias?: string;
  readonly tee?: boolean;
}

/** Where records come from. A path of `-`, or none, is standard input. */
export type ProduceSource =
  | { readonly kind: 'value'; readonly value: Buffer; readonly isStdinIgnored: boolean }
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | {
      readonly kind: 'lines';
      readonly path: string | undefined;
      readonly delimiter: Buffer;
      readonly split: KeySplit | undefined;
    }
  | {
      readonly kind: 'records';
      readonly path: string | undefined;
      readonly reader: RecordReader;
      /** `%t` and `%p` of a layout count; the topic and partition of a dump do not, unless `--keep-partition`. */
      readonly topicFromInput: boolean;
      readonly partitionFromInput: boolean;
      /** A record a line. */
      readonly isLined: boolean;
    };

/** What is to be done, every conflict resolved. */
export interface ProduceOptions extends GlobalOptions {
  /** Undefined: each record names its own. */
  readonly topic: string | undefined;
  readonly source: ProduceSource;
  readonly key: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly partition: number | undefined;
  readonly tombstone: boolean;
  readonly compression: CompressionType | undefined;
  readonly valueFormat: ValueFormat;
  readonly timestamp: number | undefined;
  readonly acks: Acks;
  readonly lingerMs: number | undefined;
  readonly batchBytes: number | undefined;
  readonly partitioner: PartitionerName | undefined;
  /** Records per second. */
  readonly rate: number | undefined;
  readonly create: boolean;
  readonly force: boolean;
  readonly skipBad: boolean;
  readonly deadLetter: string | undefined;
  readonly report: string | undefined;
  readonly tee: boolean;
}

const NEWLINE = Buffer.from('\n');
const NUL = Buffer.from([0]);

/** Fails with KLOG_USAGE for flags that contradict each other, before anything is opened or made. */
export async function checkProduceFlags(
  flags: ProduceFlags,
  operand: string | undefined,
  context: Pick<CliContext, 'cwd' | 'env' | 'clock'>,
): Promise<ProduceOptions> {
  if (operand !== undefined && flags.topicOption !== undefined) exclude('the topic', '--topic');
  const topic = operand ?? flags.topicOption;
  const source = await chooseSource(flags);
  if (topic !== undefined) validateTopicName(topic);
  else if (source.kind !== 'records' || !source.topicFromInput || !(flags.format ?? '').includes('%t')) {
    throw new KlogError('KLOG_USAGE', 'produce: no topic is named', { hint: "See 'klog produce --help'" });
  }
  if (topic !== undefined) refuseInternal(topic, flags.force, 'produce to');
  checkConflicts(flags);
  return {
    ...flags,
    topic,
    source,
    key: flags.key === undefined ? null : argumentBytes(flags.key),
    headers: (flags.header ?? []).map(headerOf),
    partition: flags.partition,
    tombstone: flags.tombstone ?? false,
    compression: flags.compression,
    valueFormat: flags.valueFormat ?? 'raw',
    timestamp: flags.timestamp === undefined ? undefined : await timestampOf(flags.timestamp, context),
    acks: (await setting('acks', flags.acks, context, parseAcks)) ?? 'all',
    lingerMs: flags.linger,
    batchBytes: flags.batchBytes,
    partitioner: flags.partitioner,
    rate: flags.rate,
    force: flags.force ?? false,
    skipBad: flags.skipBad ?? false,
    deadLetter: flags.deadLetter,
    report: flags.report ?? flags.reportAlias,
    tee: flags.tee ?? false,
  };
}

function headerOf({ key, value }: HeaderValue): RecordHeader {
  if (hasLoneSurrogate(key)) throw new KlogError('KLOG_USAGE', `-H: '${key}' is no header key: it is not UTF-8`);
  return { key, value: value === null ? null : argumentBytes(value) };
}

async function chooseSource(flags: ProduceFlags): Promise<ProduceSource> {
  const { value, file, lines } = flags;
  const isRecords = flags.format !== undefined || flags.jsonRecords === true;
  const isSplit = flags.keySeparator !== undefined || flags.delimiter !== undefined || flags.nul === true;
  const given = [value !== undefined && '--value', file !== undefined && '--file', lines !== undefined && '--lines'];
  const [first, second] = given.filter((name) => name !== false);
  if (first !== undefined && second !== undefined) exclude(first, second);
  if (value !== undefined || file !== undefined) {
    if (isRecords) exclude(first!, flags.format === undefined ? '-J' : '-f');
    if (isSplit) exclude(first!, flags.keySeparator === undefined ? '-D' : '-K');
  }
  if (value !== undefined) return { kind: 'value', value: argumentBytes(value), isStdinIgnored: false };
  if (file !== undefined) {
    if (file.filter((path) => path === '-').length > 1) {
      throw new KlogError('KLOG_USAGE', '--file: - is given twice, and standard input can be read once');
    }
    return { kind: 'files', paths: file };
  }
  if (isRecords) return recordSource(flags);
  if (flags.key !== undefined && flags.tombstone === true && !isSplit && lines === undefined) {
    return { kind: 'value', value: Buffer.alloc(0), isStdinIgnored: true };
  }
  return lineSource(flags);
}

function lineSource(flags: ProduceFlags): ProduceSource {
  if (flags.delimiter !== undefined && flags.nul) exclude('-D', '-0');
  const separator = flags.keySeparator;
  return {
    kind: 'lines',
    path: flags.lines,
    delimiter: flags.nul ? NUL : (flags.delimiter ?? NEWLINE),
    split: separator === undefined ? undefined : { separator, optional: flags.keyOptional ?? false },
  };
}

async function recordSource(flags: ProduceFlags): Promise<ProduceSource> {
  const name = flags.format === undefined ? '-J' : '-f';
  if (flags.format !== undefined && flags.jsonRecords) exclude('-f', '-J');
  if (flags.keySeparator !== undefined) exclude('-K', name);
  if (flags.delimiter !== undefined) exclude('-D', name);
  if (flags.nul) exclude('-0', name);
  const { reader, isDump, isLined } = await createRecordReader({
    format: flags.format ?? 'json',
    strict: flags.strict ?? false,
    kafkaProperties: parseProperties(flags.property ?? []),
  });
  const partitionFromInput = isDump ? (flags.keepPartition ?? false) : true;
  return { kind: 'records', path: flags.lines, reader, topicFromInput: !isDump, partitionFromInput, isLined };
}

function checkConflicts(flags: ProduceFlags): void {
  const isJson = flags.jsonRecords === true || flags.format !== undefined;
  if (flags.keySeparator !== undefined && flags.key !== undefined) exclude('-K', '-k');
  if (flags.keyOptional && flags.keySeparator === undefined) need('--key-optional', '-K');
  if (flags.keepPartition && !isJson) need('--keep-partition', '-J');
  if (flags.keepPartition && flags.partition !== undefined) exclude('--keep-partition', '-p');
  if (flags.partitioner !== undefined && flags.partition !== undefined) exclude('--partitioner', '-p');
  if (flags.strict && flags.format === undefined) need('--strict', '-f');
  if (flags.property !== undefined && flags.format !== 'kafka') need('--property', '-f kafka');
  if (flags.deadLetter !== undefined && !flags.skipBad) need('--dead-letter', '--skip-bad');
  const report = flags.report ?? flags.reportAlias;
  if (report !== undefined && flags.json) exclude('--report', '--json');
  if (flags.tee && flags.json) exclude('-T', '--json');
  if (flags.tee && report !== undefined) exclude('-T', '--report');
  if (flags.tee && flags.value !== undefined) exclude('-T', '--value');
  if (flags.report === undefined && flags.reportAlias !== undefined && !flags.reportAlias.includes('%')) {
    throw new KlogError('KLOG_USAGE', `-o: '${flags.reportAlias}' is no format to report records in`, {
      hint: "Formats look like '%t:%p@%o'; produce has no offsets to start from",
    });
  }
}

async function timestampOf(text: string, context: Pick<CliContext, 'clock'>): Promise<number> {
  const { parseTime } = await import('../values/parse-time.js');
  const timestamp = namingOption('--timestamp', () => parseTime(text, { now: context.clock.now() }));
  if (timestamp >= 0) return timestamp;
  throw new KlogError('KLOG_USAGE', `--timestamp: '${text}' is before 1970, where the times of records begin`);
}
