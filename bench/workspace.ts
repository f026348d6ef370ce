/**
 * The temporary folder of a run: the input, a log with a large topic, and a copy of the built command, so that a build
 * meanwhile changes nothing.
 */
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openClient } from '../src/clients/local/open-client.js';
import { seededRandom } from '../test/support/chooser.js';
import { peakMemoryPrefix, quoted } from './measure.js';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const RECORD_BYTES = 104;
const CHUNK_RECORDS = 10_000;

/** Time of the large topic's first record; they come a millisecond apart. */
export const FIRST_TIMESTAMP = 1_700_000_000_000;

export interface Workspace {
  /** Commands run here. */
  readonly folder: string;
  /** A copy of the built package: bin, dist. */
  readonly program: string;
  readonly records: number;
  /** Lines of 104 bytes and a newline. */
  readonly input: string;
  /** The `.klog` with the topic `large`: the lines of the input. */
  readonly log: string;
  /** Stands before the process whose memory counts. */
  readonly measured: string;
  readonly peakFile: string;
  readonly node: string;
  /** `node bin/klog.js`, not measured. */
  readonly klog: string;
}

export async function createWorkspace(records: number): Promise<Workspace> {
  const folder = mkdtempSync(join(tmpdir(), 'klog-bench-'));
  const program = join(folder, 'klog');
  mkdirSync(program);
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(PROJECT, part), join(program, part), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(program, 'node_modules'));
  const input = join(folder, 'input.jsonl');
  const log = join(folder, '.klog');
  await writeInputAndTopic(records, input, log);
  const node = quoted(process.execPath);
  const peakFile = join(folder, 'peak');
  return {
    folder,
    program,
    records,
    input: quoted(input),
    log: quoted(log),
    measured: peakMemoryPrefix(peakFile),
    peakFile,
    node,
    klog: `${node} ${quoted(join(program, 'bin', 'klog.js'))}`,
  };
}

async function writeInputAndTopic(records: number, input: string, directory: string): Promise<void> {
  const random = seededRandom(1);
  await using client = await openClient({ directory, create: true });
  await client.admin().createTopic({ topic: 'large' });
  await using producer = client.producer();
  const writer = await producer.writer('large');
  writeFileSync(input, '');
  for (let first = 0; first < records; first += CHUNK_RECORDS) {
    const count = Math.min(CHUNK_RECORDS, records - first);
    const chunk = Buffer.from(Array.from({ length: count }, (_, i) => line(first + i, random)).join(''));
    writeFileSync(input, chunk, { flag: 'a' });
    for (let i = 0; i < count; i++) {
      const start = i * (RECORD_BYTES + 1);
      if (!writer.appendValue(chunk, start, start + RECORD_BYTES, FIRST_TIMESTAMP + first + i)) await writer.ready();
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
