/**
 * Judges states. Without arguments: a line on standard input for each (tools/README.md), a line back: `ok`, with the number
 * of kills in the middle of settling if any were tried, or what is wrong. With arguments DIR OUT: that state, exit 1 and
 * what is wrong. CRASH_MODE and CRASH_RC as killpoints.py sets them.
 *
 * Settling is killed at all its calls in every state that a kill has left, and of those that a power loss may have left in
 * one of KLOG_CRASH_SETTLE_EVERY (absent: none).
 */
import { readFileSync, statSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { COMPRESSION_TYPES, loadCodec } from '../../src/format/compression.js';
import { judge, type State } from './rig/judge.js';
import { MemoryDisk } from './rig/memory-disk.js';
import { StateImages, type TreeMessage } from './rig/state-images.js';

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

const images = new StateImages();
const settleEvery = Number(process.env.KLOG_CRASH_SETTLE_EVERY ?? 0);

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

function fromDisk({ dir, out, err, mode, rc, hit }: DirectoryMessage): State {
  return {
    disk: MemoryDisk.load(dir),
    said: readFileSync(out, 'latin1'),
    ...(mode === undefined ? {} : { mode }),
    ...(rc === undefined ? {} : { rc }),
    ...(hit === undefined ? {} : { hit }),
    ...(err === undefined ? {} : { complained: statSync(err).size }),
  };
}

const [dir, out] = process.argv.slice(2);
for (const type of COMPRESSION_TYPES) if (type !== 'none') await loadCodec(type);
if (dir !== undefined && out !== undefined) {
  const { CRASH_MODE, CRASH_RC } = process.env;
  const run = CRASH_MODE === undefined ? {} : { mode: CRASH_MODE };
  const ended = CRASH_RC === undefined ? {} : { rc: Number(CRASH_RC) };
  const verdict = await judgeInTime(fromDisk({ dir, out, ...run, ...ended }), true);
  if (!verdict.startsWith('ok')) {
    writeSync(1, `${verdict}\n`);
    process.exitCode = 1;
  }
} else {
  let states = 0;
  // Errors are made by the thousand, and few are shown; --check judges with stacks.
  Error.stackTraceLimit = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line) as Message;
    const state = 'tree' in message ? images.read(message) : fromDisk(message);
    const settles = 'tree' in message ? settleEvery > 0 && states++ % settleEvery === 0 : true;
    writeSync(1, `${(await judgeInTime(state, settles)).replaceAll('\n', ' / ')}\n`);
  }
}
