/** run-scenario NAME[/PART] DIRECTORY SEED: runs one scenario, or a part of it. Exit 1 and the reason when it fails. */
import { writeSync } from 'node:fs';
import { OTHERS, SCENARIOS } from './scenarios/index.js';
import { RealMachine } from './scenarios/real-machine.js';
import { Stage } from './scenarios/scenario.js';

const [what = '', directory = '', seed = '1'] = process.argv.slice(2);
const [name = '', part] = what.split('/');
try {
  const scenario = [...SCENARIOS, ...OTHERS].find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  const { KLOG_CRASH_PROMISED: promised } = process.env;
  const stage = new Stage(name, directory, Number(seed), new RealMachine());
  // What was promised before the crash that this one starts from.
  if (promised !== undefined && part === undefined) writeSync(1, promised);
  if (part === undefined) {
    await scenario.run(stage);
    stage.say('done');
  } else await scenario.parts![part]!(stage);
} catch (error) {
  writeSync(2, `${name}: ${(error as Error).stack}\n`);
  process.exitCode = 1;
}
