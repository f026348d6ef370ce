/**
 * Judges states. Without arguments: a line on standard input for each (tools/README.md), a line back: `ok`, with the
 * number of kills in the middle of settling if any were tried, or what is wrong. With --listen PATH: the same on each
 * connection to that socket, until standard input ends; a judge that has been at it for a while is several times as
 * fast as a new one. With arguments DIR OUT: that state, exit 1 and what is wrong. CRASH_MODE and CRASH_RC as
 * killpoints.py sets them.
 *
 * Settling is killed at all its calls in every directory that a real kill has left, and of the states that a power loss
 * may have left in one of KLOG_CRASH_SETTLE_EVERY, of those that a recorded kill has left in one of
 * KLOG_CRASH_SETTLE_KILLED_EVERY (absent: none); once in those that are the same by content.
 */
import { readFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { COMPRESSION_TYPES, loadCodec } from '../../src/format/compression.js';
import { judge, type State } from './rig/judge.js';
import { MemoryDisk } from './rig/memory-disk.js';
import { StateImages, type TreeMessage } from './rig/state-images.js';
import { UPKEEP_FAILED } from './rig/tree-state.js';

/** A state over which the judge thinks so long is one that hangs klog. */
const LONGEST_MS = 30_000;

/** What killpoints.py sends. */
interface DirectoryMessage {
  readonly dir: string;
  readonly out: string;
  readonly mode?: string;
  readonly rc?: number;
  readonly hit?: string;
  /** The file of the command's error output. */
  readonly err?: string;
}

type Message = DirectoryMessage | TreeMessage;

const { KLOG_CRASH_SETTLE_EVERY = '0', KLOG_CRASH_SETTLE_KILLED_EVERY = '0' } = process.env;

async function judgeInTime(state: State, settles: boolean): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  let kills = 0;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${LONGEST_MS} ms`), LONGEST_MS);
  });
  const count = (tried: number) => {
    kills = tried;
  };
  try {
    const problem = await Promise.race([judge(state, settles ? count : undefined), late]);
    return problem ?? (kills > 0 ? `ok ${kills}` : 'ok');
  } finally {
    clearTimeout(timer);
  }
}

function complaintIn(path: string): Pick<State, 'complained' | 'warned'> {
  const text = readFileSync(path, 'latin1');
  return { complained: text.length, warned: UPKEEP_FAILED.test(text) };
}

function fromDisk({ dir, out, err, mode, rc, hit }: DirectoryMessage): State {
  return {
    disk: MemoryDisk.load(dir),
    said: readFileSync(out, 'latin1'),
    ...(mode === undefined ? {} : { mode }),
    ...(rc === undefined ? {} : { rc }),
    ...(hit === undefined ? {} : { hit }),
    ...(err === undefined ? {} : complaintIn(err)),
  };
}

/** A line for each state, an answer for each line. */
async function serve(input: NodeJS.ReadableStream, answer: (line: string) => void): Promise<void> {
  const images = new StateImages();
  let states = 0;
  for await (const line of createInterface({ input })) {
    const message = JSON.parse(line) as Message;
    const state = 'tree' in message ? images.read(message) : fromDisk(message);
    const every = Number(state.mode === undefined ? KLOG_CRASH_SETTLE_EVERY : KLOG_CRASH_SETTLE_KILLED_EVERY);
    const settles = 'tree' in message ? every > 0 && states++ % every === 0 : true;
    answer(`${(await judgeInTime(state, settles)).replaceAll('\n', ' / ')}\n`);
  }
}

function listen(path: string): void {
  const server = createServer((socket) => {
    // A tool that went away wants no more answers.
    socket.on('error', () => {});
    void serve(socket, (line) => socket.write(line)).catch(() => socket.destroy());
  });
  server.listen(path, () => writeSync(1, 'listening\n'));
  process.stdin.resume().on('end', () => process.exit());
}

const [first, second] = process.argv.slice(2);
for (const type of COMPRESSION_TYPES) if (type !== 'none') await loadCodec(type);
// Errors are made by the thousand, and few are shown; DIR OUT judges with stacks.
if (second === undefined || first === '--listen') Error.stackTraceLimit = 0;
if (first === undefined || second === undefined) await serve(process.stdin, (line) => writeSync(1, line));
else if (first === '--listen') listen(second);
else {
  const { CRASH_MODE, CRASH_RC } = process.env;
  const run = CRASH_MODE === undefined ? {} : { mode: CRASH_MODE };
  const ended = CRASH_RC === undefined ? {} : { rc: Number(CRASH_RC) };
  const verdict = await judgeInTime(fromDisk({ dir: first, out: second, ...run, ...ended }), true);
  if (!verdict.startsWith('ok')) {
    writeSync(1, `${verdict}\n`);
    process.exitCode = 1;
  }
}
