/**
 * Records with everything in them that has a form of its own in the format. The same random numbers, the same records.
 */

/** A record before it belongs to a topic. */
export interface PlannedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  readonly timestamp: number;
}

/**
 * - `edges`: all of it, with records without a time; `far-edges`: the latest time among them, too, which is too far
 *   from no time for one batch: klog begins another one
 * - `megabytes`: values of 1 MB; `lines`: keyless JSON lines at rising times
 */
export type RecordKind = 'edges' | 'far-edges' | 'megabytes' | 'lines';

export type Random = () => number;

const START = 1_700_000_000_000;
const MEGABYTE = 1_000_000;
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const HEADER_KEYS = ['trace', 'trace', '', 'é', '\u{1f427}', 'x'.repeat(200)];
const utf8 = new TextEncoder();

export function randomRecords(kind: RecordKind, count: number, random: Random): PlannedRecord[] {
  const makers = {
    edges: (index: number) => edgeRecord(index, -1, random),
    'far-edges': (index: number) => edgeRecord(index, Number.MAX_SAFE_INTEGER, random),
    megabytes: (index: number) => largeRecord(index, random),
    lines: (index: number) => lineRecord(index, random),
  };
  const make = makers[kind];
  return Array.from({ length: count }, (_, index) => make(index));
}

export function below(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

function edgeRecord(index: number, edgeOfTime: number, random: Random): PlannedRecord {
  return {
    key: pick(random, [
      () => null,
      () => new Uint8Array(),
      () => ALL_BYTES,
      () => utf8.encode(`key-${index % 17}`),
      () => randomBytes(below(40, random), random),
    ]),
    value: pick(random, [
      () => null,
      () => new Uint8Array(),
      () => ALL_BYTES,
      () => utf8.encode(JSON.stringify({ id: index, text: 'ä\u{1f427}'.repeat(below(20, random)) })),
      () => randomBytes(below(400, random), random),
      // Around the lengths at which a varint grows a byte.
      () => randomBytes([63, 64, 8191, 8192][below(random() < 0.02 ? 4 : 2, random)]!, random),
    ]),
    headers: Array.from({ length: random() < 0.6 ? 0 : below(5, random) }, () => ({
      key: HEADER_KEYS[below(HEADER_KEYS.length, random)]!,
      value: pick(random, [() => null, () => new Uint8Array(), () => ALL_BYTES, () => randomBytes(8, random)]),
    })),
    timestamp: pick(random, [
      () => 0,
      () => START + index * 1000 - below(5000, random),
      () => START + index,
      () => START - below(1e12, random),
      // The latest time rarely and late, or the time index would not rise any more.
      () => (edgeOfTime < 0 || (index > 200 && random() < 0.05) ? edgeOfTime : START),
      () => -1,
    ]),
  };
}

function largeRecord(index: number, random: Random): PlannedRecord {
  // By turns what does not compress and what does.
  const value = index % 2 === 0 ? randomBytes(MEGABYTE, random) : new Uint8Array(MEGABYTE).fill(index);
  return { key: utf8.encode(`large-${index}`), value, headers: [], timestamp: START + index };
}

function lineRecord(index: number, random: Random): PlannedRecord {
  const value = utf8.encode(JSON.stringify({ seq: index, at: START + index, note: 'n'.repeat(below(120, random)) }));
  return { key: null, value, headers: [], timestamp: START + index };
}

function pick<T>(random: Random, choices: readonly (() => T)[]): T {
  return choices[below(choices.length, random)]!();
}

function randomBytes(length: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = random() * 256;
  return bytes;
}
