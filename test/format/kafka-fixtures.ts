/** Bytes that Kafka and other clients wrote, and what is in them: see test/fixtures/kafka/README.md. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../fixtures/kafka/', import.meta.url));

/** 64-bit numbers are decimal text. Batches of magic 0 and 1 have only the fields that stand in them. */
export interface ExpectedBatch {
  readonly type: 'batch';
  readonly position: number;
  readonly sizeInBytes: number;
  readonly magic: number;
  readonly baseOffset: string;
  readonly lastOffset: string;
  readonly partitionLeaderEpoch: number;
  readonly crc: number;
  readonly crcOk: boolean;
  readonly compression: string;
  readonly timestampType: string;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly deleteHorizonMs: string | null;
  readonly maxTimestamp: string;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly recordCount: number;
}

/** Hexadecimal, or length and SHA-256 where that would be long. */
export type ExpectedBytes = string | { readonly length: number; readonly sha256: string } | null;

export interface ExpectedRecord {
  readonly type: 'record';
  readonly offset: string;
  readonly timestamp: string;
  readonly sequence: number;
  readonly key: ExpectedBytes;
  readonly value: ExpectedBytes;
  readonly headers: readonly (readonly [string, ExpectedBytes])[];
  /** In a control batch. */
  readonly control?: { readonly type: string; readonly coordinatorEpoch: number };
}

export interface ExpectedEnd {
  readonly type: 'end';
  readonly validBytes: number;
  readonly fileSize: number;
  readonly error: string | null;
}

export type ExpectedLine = ExpectedBatch | ExpectedRecord | ExpectedEnd;

export interface Fixture {
  readonly bytes: Buffer;
  readonly lines: readonly ExpectedLine[];
}

/** Names as `batches/v2-mixed-none`. */
export function fixtureNames(folder: string): string[] {
  return readdirSync(ROOT + folder)
    .filter((file) => file.endsWith('.bin'))
    .map((file) => `${folder}/${file.slice(0, -'.bin'.length)}`)
    .sort();
}

export function readFixture(name: string): Fixture {
  return {
    bytes: readFileSync(`${ROOT}${name}.bin`),
    lines: readFileSync(`${ROOT}${name}.jsonl`, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ExpectedLine),
  };
}

export function readValues<T>(name: string): T {
  return JSON.parse(readFileSync(`${ROOT}values/${name}.json`, 'utf8')) as T;
}

/** `bytes` as the fixtures write them. */
export function describeBytes(bytes: Uint8Array | null): ExpectedBytes {
  if (bytes === null) return null;
  if (bytes.length <= 4096) return Buffer.from(bytes).toString('hex');
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
