/**
 * Judges states. Without arguments: a line `{"dir", "out", …}` on standard input for each, a line back: `ok`, or what is wrong.
 * With arguments DIR OUT: that state, exit 1 and what is wrong. CRASH_MODE and CRASH_RC as killpoints.py sets them.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { COMPRESSION_TYPES, loadCodec } from '../../src/format/compression.js';
import { judge, type State } from './rig/judge.js';

/** A state over which the judge thinks so long is one that hangs klog. */
const LONGEST_MS = 30_000;

async function judgeInTime(state: State): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${LONGEST_MS} ms`), LONGEST_MS);
  });
  try {
    return await Promise.race([judge(state), late]);
  } finally {
    clearTimeout(timer);
  }
}

const [dir, out] = process.argv.slice(2);
for (const type of COMPRESSION_TYPES) if (type !== 'none') await loadCodec(type);
if (dir !== undefined && out !== undefined) {
  const { CRASH_MODE, CRASH_RC } = process.env;
  const run = CRASH_MODE === undefined ? {} : { mode: CRASH_MODE, rc: Number(CRASH_RC) };
  const problem = await judgeInTime({ dir, out, ...run });
  if (problem !== undefined) {
    writeSync(1, `${problem}\n`);
    process.exitCode = 1;
  }
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    const problem = await judgeInTime(JSON.parse(line) as State);
    writeSync(1, problem === undefined ? 'ok\n' : `${problem.replaceAll('\n', ' / ')}\n`);
  }
}
