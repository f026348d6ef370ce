/**
 * npm run oracle -- [--seed S] [--records N]
 *
 * An independent judge of what klog writes: topics of every kind go through the library into a new directory, and
 * readers that have no line of klog's (test/oracle, python3-kafka) must find in the files what was produced, batch by
 * batch and record by record, and in the indexes what leads there. Exits 1 at a difference, 2 for wrong arguments, and
 * 3 where python3-kafka is missing. Defaults: seed 1, 20000 records.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../test/support/chooser.js';
import { judgeTopic } from './oracle/judge-topic.js';
import { missingPackages, sideFiles } from './oracle/python.js';
import { FEWEST_RECORDS, topicPlans } from './oracle/topic-plan.js';
import { writeTopic } from './oracle/write-topic.js';

const PACKAGES = 'python3-kafka python3-lz4 python3-snappy python3-zstandard python3-xxhash';
const SHOWN_DIFFERENCES = 5;

process.exitCode = await main();

async function main(): Promise<number> {
  const numbers = readArguments();
  if (numbers === undefined) return 2;
  const missing = missingPackages();
  if (missing !== undefined) {
    console.error(`oracle: /usr/bin/python3 cannot judge (${missing}): apt-get install -y ${PACKAGES}`);
    return 3;
  }
  const { seed, records } = numbers;
  const root = await mkdtemp(join(tmpdir(), 'klog-oracle-'));
  const directory = join(root, '.klog');
  const random = seededRandom(seed);
  const sum = { topics: 0, wrong: 0, records: 0, batches: 0, segments: 0, indexEntries: 0 };
  for (const plan of topicPlans(records)) {
    const written = await writeTopic(directory, plan, random);
    const verdict = await judgeTopic(directory, plan, written);
    const isRight = verdict.differences.length === 0;
    const counts = `${verdict.records} records, ${verdict.batches} batches, ${verdict.segments} segments`;
    console.log(
      `${isRight ? 'ok  ' : 'DIFF'} ${plan.topic.padEnd(20)} ${counts}, ${verdict.indexEntries} index entries`,
    );
    for (const difference of verdict.differences.slice(0, SHOWN_DIFFERENCES)) console.log(`     ${difference}`);
    const more = verdict.differences.length - SHOWN_DIFFERENCES;
    if (more > 0) console.log(`     and ${more} more`);
    sum.topics++;
    sum.wrong += isRight ? 0 : 1;
    for (const what of ['records', 'batches', 'segments', 'indexEntries'] as const) sum[what] += verdict[what];
  }
  const [properties] = await sideFiles([join(directory, 'log', 'meta.properties')]);
  if (properties?.version !== '1') {
    console.log(`DIFF meta.properties: version ${properties?.version}, expected 1`);
    sum.wrong++;
  }
  console.log(
    `${sum.topics} topics, ${sum.records} records in ${sum.batches} batches and ${sum.segments} segments, ` +
      `${sum.indexEntries} index entries, seed ${seed}: ${sum.wrong === 0 ? 'no difference' : `${sum.wrong} differ`}`,
  );
  if (sum.wrong > 0) {
    console.log(`The files are kept: ${directory}`);
    return 1;
  }
  await rm(root, { recursive: true });
  return 0;
}

function readArguments(): { seed: number; records: number } | undefined {
  try {
    const { values } = parseArgs({
      options: { seed: { type: 'string', default: '1' }, records: { type: 'string', default: '20000' } },
    });
    const seed = Number(values.seed);
    const records = Number(values.records);
    if (!Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed} is not a whole number`);
    if (!(Number.isSafeInteger(records) && records >= FEWEST_RECORDS)) {
      throw new Error(`--records ${values.records} is not a number from ${FEWEST_RECORDS} on`);
    }
    return { seed, records };
  } catch (error) {
    console.error(`oracle: ${(error as Error).message}\nusage: npm run oracle -- [--seed S] [--records N]`);
    return undefined;
  }
}
