import { KlogError } from '../../errors.js';
import type { RecordHeader } from '../../format/log-record.js';
import type { InputRecord, RecordReader } from '../record-format/input-record.js';
import type { RecordFields } from './record-fields.js';
import { ANY_PARTITION, isBadRecord, type RecordTarget, withPlace } from './record-target.js';
import type { SkippedRecords } from './skipped-records.js';
import type { TopicTargets } from './topic-targets.js';

export interface RecordsRun {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly reader: RecordReader;
  readonly targets: TopicTargets;
  /** Where records go that name no topic, or whose topic does not count. */
  readonly topic: RecordTarget | undefined;
  readonly topicFromInput: boolean;
  readonly partitionFromInput: boolean;
  /** A record a line: what is kept of bad ones is, too. */
  readonly isLined: boolean;
  readonly fields: RecordFields;
  /** `--skip-bad`. */
  readonly skipped: SkippedRecords | undefined;
  readonly now: () => number;
  readonly file: string | undefined;
  /** `--rate`: see {@link produceRecords}. */
  readonly isPaced: boolean;
  readonly signal: AbortSignal;
}

const NEWLINE = Buffer.from('\n');

/**
 * The records that a reader finds in the input: `-J` and `-f`. After an abort what was read is still taken, except for
 * the record under way, which may be cut, and, where records are paced, all whose time has not come. Answers the bytes
 * left out.
 */
export async function produceRecords(run: RecordsRun): Promise<number> {
  const { reader, signal, isPaced } = run;
  const records = new ReadRecords(run);
  let leftOut = 0;
  for await (const chunk of run.chunks) {
    if (isPaced && signal.aborted) {
      leftOut += chunk.length;
      continue;
    }
    reader.push(chunk);
    await records.take();
  }
  if (signal.aborted) return leftOut + reader.bytesLeft;
  reader.end();
  await records.take();
  return 0;
}

class ReadRecords {
  readonly #run: RecordsRun;
  /** The reader stands on a bad record whose end it has not seen yet. */
  #isSkipping = false;

  constructor(run: RecordsRun) {
    this.#run = run;
  }

  /** Everything the reader has now. */
  async take(): Promise<void> {
    const { signal, isPaced, skipped } = this.#run;
    while (!(isPaced && signal.aborted)) {
      if (this.#isSkipping && !(await this.#skip())) return;
      const record = this.#next();
      if (record === undefined) {
        if (this.#isSkipping) continue;
        return;
      }
      let target: RecordTarget | undefined;
      try {
        target = this.#target(record) ?? (await this.#open(record));
        if (!this.#append(target, record)) await target.ready();
      } catch (error) {
        const { bytes, line, byte } = this.#run.reader.origin();
        const partitionCount = target?.partitionCount ?? 0;
        if (skipped === undefined || !isBadRecord(error, partitionCount)) {
          throw withPlace(error, { line, byte, file: this.#run.file }, partitionCount);
        }
        await this.#keep(bytes);
      }
    }
  }

  /** Undefined: there is none yet, or it is bad and to be skipped. */
  #next(): InputRecord | undefined {
    try {
      return this.#run.reader.next();
    } catch (error) {
      if (this.#run.skipped === undefined || !isBadRecord(error)) throw error;
      this.#isSkipping = true;
      return undefined;
    }
  }

  /** False: more input is needed to find where the bad record ends. */
  async #skip(): Promise<boolean> {
    const bad = this.#run.reader.skipBad();
    if (bad === undefined) return false;
    this.#isSkipping = false;
    await this.#keep(bad);
    return true;
  }

  async #keep(bytes: Uint8Array): Promise<void> {
    const { isLined } = this.#run;
    const skipped = this.#run.skipped!;
    const hasRoom = skipped.add(bytes, 0, bytes.length);
    if (isLined && bytes.at(-1) !== NEWLINE[0]) skipped.part(NEWLINE, 0, 1);
    if (!hasRoom) await skipped.drain();
  }

  #target(record: InputRecord): RecordTarget | undefined {
    const { targets, topic, topicFromInput } = this.#run;
    return topicFromInput && record.topic !== undefined ? targets.get(record.topic) : topic;
  }

  #open(record: InputRecord): Promise<RecordTarget> {
    return this.#run.targets.openNamed(record.topic ?? '');
  }

  #append(target: RecordTarget, record: InputRecord): boolean {
    const { fields, partitionFromInput, now } = this.#run;
    const key = record.key ?? fields.key;
    const value = this.#value(record.value);
    const timestamp = fields.timestamp ?? checkTimestamp(record.timestamp) ?? now();
    const given = partitionFromInput ? record.partition : undefined;
    const partition = fields.partition !== ANY_PARTITION ? fields.partition : (given ?? ANY_PARTITION);
    const headers = joinHeaders(record.headers, fields.headers);
    const keyEnd = key === null ? -1 : key.length;
    const valueEnd = value === null ? -1 : value.length;
    return target.append(key, 0, keyEnd, value, 0, valueEnd, timestamp, headers, partition);
  }

  #value(value: Uint8Array | null): Uint8Array | null {
    const { emptyIsNull, encodeValue } = this.#run.fields;
    if (value === null || (emptyIsNull && value.length === 0)) return null;
    return encodeValue === undefined ? value : encodeValue(value);
  }
}

/** -1 is Kafka's word for none; what is below, no Kafka takes. */
function checkTimestamp(timestamp: number | undefined): number | undefined {
  if (timestamp === undefined || timestamp >= -1) return timestamp;
  throw new KlogError('INVALID_TIMESTAMP', `timestamp ${timestamp} is before 1970`, {
    hint: 'Timestamps are milliseconds since 1970, -1 for none; --timestamp sets one for all records',
  });
}

function joinHeaders(own: readonly RecordHeader[], fixed: readonly RecordHeader[]): readonly RecordHeader[] | null {
  if (fixed.length === 0) return own.length === 0 ? null : own;
  return own.length === 0 ? fixed : [...own, ...fixed];
}
