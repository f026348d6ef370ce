/** The process that meets the inputs: watched-worker.ts watches it. Its one argument is a JSON of what follows. */
import { openSync, writeSync } from 'node:fs';
import { fuzzInputs } from './fuzz-inputs.js';
import { allTargets } from './targets/all-targets.js';

const {
  seed,
  from,
  step,
  end,
  progress,
  targets: only,
} = JSON.parse(process.argv[2]!) as {
  readonly seed: number;
  readonly from: number;
  readonly step: number;
  readonly end: number;
  /** A file that always holds the index of the input under way. */
  readonly progress: string;
  /** Names; default all. */
  readonly targets?: readonly string[];
};

const { targets, close } = await allTargets(only);
const fd = openSync(progress, 'w');
const index8 = Buffer.alloc(8);
const say = (line: object): void => {
  writeSync(1, `${JSON.stringify(line)}\n`);
};

// A promise that nobody waits for must not fail unseen.
process.on('unhandledRejection', (error) =>
  say({ index: -1, target: 'unhandled rejection', problem: String((error as Error)?.stack ?? error) }),
);

await fuzzInputs(targets, {
  seed,
  from,
  step,
  end,
  onInput: (index) => {
    index8.writeDoubleBE(index);
    writeSync(fd, index8, 0, 8, 0);
  },
  onFinding: say,
});
close();
process.exit(0);
