/**
 * `X.bin` is what could stand in a `.log` file, `X.jsonl` what a reader finds in it. What Kafka itself encoded without
 * compression is encoded again and must come out the same.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordBatch } from '../../src/format/record-batch.js';
import { batchLines, type Line } from './batch-lines.js';
import { firstDifference } from './compare.js';
import { reencode } from './reencode.js';
import { exceedsSafeInteger } from './refusal.js';
import type { Outcome, Vector } from './vector.js';
import { mismatch, ok, vectorName } from './vector.js';

export async function runBatches(folder: string, vector: Vector): Promise<Outcome> {
  const bytes = await readFile(join(folder, vectorName(vector)));
  const expected = await readLines(join(folder, vector.expected ?? vectorName(vector).replace(/\.bin$/, '.jsonl')));
  let encoded = 0;
  let encodingDifference: string | undefined;
  const found = await batchLines(bytes, (batch) => {
    if (vector.encoder !== 'kafka' || batch.magic < 2 || batch.compressionId !== 0) return;
    encoded++;
    encodingDifference ??= differenceWhenReencoded(bytes, batch);
  });

  const compared = compareLines(expected, found);
  const difference = compared.difference ?? encodingDifference;
  if (difference !== undefined) return mismatch(difference);
  const notes = [`${compared.equal} lines`];
  if (compared.refused.length > 0) {
    notes.push(`${compared.refused.length} lines refused, beyond 2^53 - 1: ${compared.refused.join(', ')}`);
  }
  if (encoded > 0) notes.push(`${encoded} ${encoded === 1 ? 'batch' : 'batches'} encoded again to the same bytes`);
  return ok(...notes);
}

export async function readLines(path: string): Promise<Line[]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

export interface LineComparison {
  readonly equal: number;
  /** What klog refuses, one value for each line. */
  readonly refused: readonly string[];
  readonly difference?: string;
}

/**
 * Line by line. A `refused` line stands for all that is left of its batch: it is right only if each of the expected
 * lines holds a value beyond 2^53 - 1, or lies in a batch whose own line does. Of an `error` only its place counts, as
 * the error's name is each program's own.
 */
export function compareLines(expected: readonly Line[], found: readonly Line[]): LineComparison {
  const refused: string[] = [];
  let equal = 0;
  let at = 0;
  let batch: Line | undefined;
  for (const line of found) {
    const wanted = expected[at];
    if (wanted?.type === 'batch') batch = wanted;
    if (line.type === 'refused') {
      const rest = restOfBatch(expected, at);
      for (const [i, lineRefused] of rest.entries()) {
        const value = excessOf(lineRefused) ?? excessOf(batch);
        if (value === undefined) {
          return { equal, refused, difference: `line ${at + i + 1}: refused without need: ${line.message}` };
        }
        refused.push(value);
      }
      if (rest.length === 0) return { equal, refused, difference: `after line ${at}: refused: ${line.message}` };
      at += rest.length;
      continue;
    }
    const difference = line.type === 'error' && wanted?.type === 'error' ? undefined : firstDifference(wanted, line);
    if (difference !== undefined) return { equal, refused, difference: `line ${at + 1}: ${difference}` };
    const excess = excessOf(wanted);
    if (excess !== undefined) return { equal, refused, difference: `line ${at + 1}: ${excess} is not refused` };
    equal++;
    at++;
  }
  if (at < expected.length) return { equal, refused, difference: `line ${at + 1}: expected more lines` };
  return { equal, refused };
}

function restOfBatch(lines: readonly Line[], from: number): Line[] {
  const rest: Line[] = [];
  for (const line of lines.slice(from)) {
    if (line.type === 'end' || (line.type === 'batch' && rest.length > 0)) break;
    rest.push(line);
  }
  return rest;
}

function excessOf(line: Line | undefined): string | undefined {
  return Object.entries(line ?? {}).find(([field, value]) => field in INT64_FIELDS && exceedsSafeInteger(value))?.[1] as
    | string
    | undefined;
}

const INT64_FIELDS = {
  baseOffset: 1,
  lastOffset: 1,
  maxTimestamp: 1,
  producerId: 1,
  deleteHorizonMs: 1,
  offset: 1,
  timestamp: 1,
} as const;

function differenceWhenReencoded(bytes: Buffer, batch: RecordBatch): string | undefined {
  const original = bytes.subarray(batch.position, batch.position + batch.sizeInBytes);
  const again = Buffer.from(reencode(original));
  if (original.equals(again)) return undefined;
  let at = 0;
  while (at < original.length && original[at] === again[at]) at++;
  return (
    `the batch at position ${batch.position}, encoded again, has ${again.length} bytes instead of ${original.length} ` +
    `and differs from byte ${at} on: expected ${hexAt(original, at)}, found ${hexAt(again, at)}`
  );
}

function hexAt(bytes: Buffer, at: number): string {
  return bytes.subarray(at, at + 8).toString('hex') || 'nothing';
}
