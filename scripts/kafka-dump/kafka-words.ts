/** What `klog log dump --json` says, in the words in which Kafka's DumpLogSegments prints the same. */

type Line = Readonly<Record<string, unknown>>;
type Header = { readonly key: string };

const TIMESTAMP_TYPES: Readonly<Record<string, string>> = { create: 'CreateTime', append: 'LogAppendTime' };

export interface Dumped {
  readonly lines: readonly string[];
  readonly batches: number;
  readonly records: number;
  /** Offset after which another than the next follows: Kafka reports those, although compaction makes them. */
  readonly jumps: readonly (readonly [number, number])[];
  /** Last offsets of batches that hold no record any more. */
  readonly emptied: readonly number[];
}

/** Of one `.log`. */
export function logInKafkasWords(lines: readonly Line[]): Dumped {
  const found = {
    lines: [] as string[],
    batches: 0,
    records: 0,
    jumps: [] as [number, number][],
    emptied: [] as number[],
  };
  let last = -1;
  let timestampType = '';
  for (const line of lines) {
    if (line.type === 'batch') {
      timestampType = TIMESTAMP_TYPES[String(line.timestampType)] ?? '?';
      found.lines.push(batchWords(line, timestampType));
      found.batches++;
      if (line.count === 0) found.emptied.push(Number(line.lastOffset));
    } else if (line.type === 'record') {
      found.lines.push(recordWords(line, timestampType));
      found.records++;
      const offset = Number(line.offset);
      if (last >= 0 && offset !== last + 1) found.jumps.push([last, offset]);
      last = offset;
    } else {
      // Bytes that are no batch: Kafka has no line for them, so this one shows as a difference.
      found.lines.push(JSON.stringify(line));
    }
  }
  return found;
}

export function indexEntryInKafkasWords(line: Line): string {
  return line.type === 'timeIndexEntry'
    ? `timestamp: ${line.timestamp} offset: ${line.offset}`
    : `offset: ${line.offset} position: ${line.position}`;
}

const PLAIN_FIELDS = [
  'baseOffset',
  'lastOffset',
  'count',
  'baseSequence',
  'lastSequence',
  'producerId',
  'producerEpoch',
  'partitionLeaderEpoch',
  'isTransactional',
  'isControl',
];

function batchWords(line: Line, timestampType: string): string {
  const horizon = line.deleteHorizonMs === null ? 'OptionalLong.empty' : `OptionalLong[${line.deleteHorizonMs}]`;
  return [
    ...PLAIN_FIELDS.map((name) => `${name}: ${line[name]}`),
    `deleteHorizonMs: ${horizon}`,
    `position: ${line.position}`,
    `${timestampType}: ${line.maxTimestamp}`,
    ...['size', 'magic', 'compresscodec', 'crc'].map((name) => `${name}: ${line[name]}`),
    `isvalid: ${line.valid}`,
  ].join(' ');
}

function recordWords(line: Line, timestampType: string): string {
  const key = bytesOf(line, 'key');
  const value = bytesOf(line, 'value');
  const headerKeys = (line.headers as Header[]).map((header) => header.key);
  const content = [
    ...(key === null ? [] : [`key: ${key.toString('utf8')}`]),
    ...(value === null ? [] : [`payload: ${value.toString('utf8')}`]),
  ];
  const sizes = `keySize: ${key?.length ?? -1} valueSize: ${value?.length ?? -1}`;
  const head = `| offset: ${line.offset} ${timestampType}: ${line.timestamp} ${sizes}`;
  return [`${head} sequence: ${line.sequence} headerKeys: [${headerKeys}]`, ...content].join(' ');
}

function bytesOf(line: Line, name: 'key' | 'value'): Buffer | null {
  const encoded = line[`${name}Base64`];
  if (encoded !== undefined) return Buffer.from(String(encoded), 'base64');
  const text = line[name];
  return text === null || text === undefined ? null : Buffer.from(String(text), 'utf8');
}
