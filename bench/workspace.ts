/**
 * The temporary folder of a run: the input, a log with a large topic, and a copy of the built command, so that a build
 * meanwhile changes nothing. What only some parts need is made when it is first asked for.
 */
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openClient } from '../src/clients/local/open-client.js';
import { seededRandom } from '../test/support/chooser.js';
import { peakMemoryPrefix, quoted } from './measure.js';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const RECORD_BYTES = 104;
const LINE_BYTES = RECORD_BYTES + 1;
const CHUNK_RECORDS = 10_000;
const SPREAD_PARTITIONS = 8;

/** Time of the first record of `large`, `spread` and `huge`; they come a millisecond apart. */
export const FIRST_TIMESTAMP = 1_700_000_000_000;
/** How many times the records of the input the topic `huge` has. */
export const HUGE_FACTOR = 10;

export interface Workspace {
  /** Commands run here. */
  readonly folder: string;
  /** A copy of the built package: bin, dist. */
  readonly program: string;
  readonly records: number;
  /** Lines of 104 bytes and a newline. */
  readonly input: string;
  /**
   * The `.klog` with the topics `large`, the lines of the input, and `spread`, the same over eight partitions, the next
   * one for each line.
   */
  readonly log: string;
  /** The `.klog` with the topic `huge`: {@link HUGE_FACTOR} times as many records. */
  readonly hugeLog: string;
  /** Stands before the process whose memory counts. */
  readonly measured: string;
  readonly peakFile: string;
  readonly node: string;
  /** `node bin/klog.js`, not measured. */
  readonly klog: string;
}

export async function createWorkspace(records: number, needsHuge: boolean): Promise<Workspace> {
  const folder = mkdtempSync(join(tmpdir(), 'klog-bench-'));
  const program = join(folder, 'klog');
  mkdirSync(program);
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(PROJECT, part), join(program, part), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(program, 'node_modules'));
  const [input, log, hugeLog] = [join(folder, 'input.jsonl'), join(folder, '.klog'), join(folder, 'huge')];
  await writeInput(records, input);
  await writeTopic(log, { topic: 'large' }, input, 1);
  await writeTopic(log, { topic: 'spread', partitions: SPREAD_PARTITIONS }, input, 1);
  if (needsHuge) await writeTopic(hugeLog, { topic: 'huge' }, input, HUGE_FACTOR);
  const node = quoted(process.execPath);
  const peakFile = join(folder, 'peak');
  return {
    folder,
    program,
    records,
    input: quoted(input),
    log: quoted(log),
    hugeLog: quoted(hugeLog),
    measured: peakMemoryPrefix(peakFile),
    peakFile,
    node,
    klog: `${node} ${quoted(join(program, 'bin', 'klog.js'))}`,
  };
}

async function writeInput(records: number, file: string): Promise<void> {
  const random = seededRandom(1);
  writeFileSync(file, '');
  for (let first = 0; first < records; first += CHUNK_RECORDS) {
    const count = Math.min(CHUNK_RECORDS, records - first);
    writeFileSync(file, Array.from({ length: count }, (_, i) => line(first + i, random)).join(''), { flag: 'a' });
  }
}

/** The lines of the input, `times` over, the next partition for each. */
async function writeTopic(
  directory: string,
  { topic, partitions = 1 }: { readonly topic: string; readonly partitions?: number },
  input: string,
  times: number,
): Promise<void> {
  await using client = await openClient({ directory, create: true });
  await client.admin().createTopic({ topic, partitions });
  await using producer = client.producer();
  const writer = await producer.writer(topic);
  await using file = await open(input);
  const chunk = Buffer.alloc(CHUNK_RECORDS * LINE_BYTES);
  let record = 0;
  for (let time = 0; time < times; time++) {
    for (let position = 0; ; ) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      for (let start = 0; start < bytesRead; start += LINE_BYTES) {
        const at = FIRST_TIMESTAMP + record;
        const partition = record++ % partitions;
        const isRoom = writer.append(null, 0, 0, chunk, start, start + RECORD_BYTES, at, null, partition);
        if (!isRoom) await writer.ready();
      }
    }
  }
  await writer.flush();
}

/** An event as JSON, with its newline: numbers, words and a note that fills it up. */
function line(index: number, random: () => number): string {
  const user = String(Math.floor(random() * 100_000));
  const amount = (random() * 1000).toFixed(2);
  const head = `{"id":${index},"user":"u-${user}","type":"order","amount":${amount},"note":"`;
  const note = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor';
  return `${head}${note.slice(0, RECORD_BYTES - head.length - 2).padEnd(RECORD_BYTES - head.length - 2, '.')}"}\n`;
}
