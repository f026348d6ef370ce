/** The process that meets the inputs: watched-worker.ts watches it. Its one argument is a JSON of what follows. */
import { openSync, writeSync } from 'node:fs';
import { fuzzInputs } from './fuzz-inputs.js';
import { allTargets } from './targets/all-targets.js';
import { BLOCK, type FuzzCounts, type FuzzMessage } from './watched-worker.js';

/** A block that takes longer is told of in parts: who watches waits for a sign of life. */
const SIGN_MS = 50;
/** Between two messages about how many there were. */
const COUNTS_MS = 5000;

const {
  seed,
  from,
  step,
  end,
  exact,
  progress,
  targets: only,
} = JSON.parse(process.argv[2]!) as {
  readonly seed: number;
  readonly from: number;
  readonly step: number;
  readonly end: number;
  /** Each input is told of; else one in BLOCK, and whatever comes late. */
  readonly exact: boolean;
  /** A file that holds the index of the input under way, or of one a few before it. */
  readonly progress: string;
  /** Names; default all. */
  readonly targets?: readonly string[];
};

const { targets, close } = await allTargets(only);
const fd = openSync(progress, 'w');
const index8 = Buffer.alloc(8);
const say = (message: FuzzMessage): void => {
  writeSync(1, `${JSON.stringify(message)}\n`);
};

// A promise that nobody waits for must not fail unseen.
process.on('unhandledRejection', (error) =>
  say({ finding: { index: -1, target: 'unhandled rejection', problem: String((error as Error)?.stack ?? error) } }),
);

let told = Number.NEGATIVE_INFINITY;
let toldAt = 0;
let counts: FuzzCounts = {};
let countedAt = performance.now();
const sayCounts = (now: number): void => {
  say({ counts });
  counts = {};
  countedAt = now;
};

await fuzzInputs(targets, {
  seed,
  from,
  step,
  end,
  onInput: (index) => {
    const now = performance.now();
    if (now - countedAt > COUNTS_MS) sayCounts(now);
    if (!exact && index < told + BLOCK * step && now - toldAt < SIGN_MS) return;
    told = index;
    toldAt = now;
    index8.writeDoubleBE(index);
    writeSync(fd, index8, 0, 8, 0);
  },
  onMet: ({ name }, tookMs) => {
    const { inputs, ms } = counts[name] ?? { inputs: 0, ms: 0 };
    counts[name] = { inputs: inputs + 1, ms: ms + tookMs };
  },
  onFinding: (finding) => say({ finding }),
});
sayCounts(0);
close();
process.exit(0);
