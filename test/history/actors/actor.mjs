// One process of a round. Its role and everything random about it come as JSON in the one argument (round-plan.ts).
import { pathToFileURL } from 'node:url';
import { faultyFileSystem } from './faulty-file-system.mjs';
import { read } from './reader.mjs';
import { Recorder, seededRandom } from './recorder.mjs';
import { replaceTopic } from './replacer.mjs';
import { write } from './writer.mjs';

const ROLES = { write, read, replace: replaceTopic };

const plan = JSON.parse(process.argv[2]);
const recorder = new Recorder(plan.history);
const library = (path) => import(pathToFileURL(`${plan.library}/${path}`).href);

async function openClient(random) {
  const { directory, readOnly = false, lockWaitMs = 10_000 } = plan;
  if (plan.faults === undefined && plan.slow === undefined) {
    const { openClient } = await library('index.js');
    return await openClient({ directory, readOnly, lockWaitMs });
  }
  const [{ nodeFileSystem }, { openStore }, { LocalClient }, { systemSeams }] = await Promise.all([
    library('store/node-file-system.js'),
    library('store/store.js'),
    library('clients/local/local-client.js'),
    library('clients/local/client-seams.js'),
  ]);
  const fs = faultyFileSystem(nodeFileSystem, plan, random);
  return new LocalClient(await openStore(fs, directory, { readOnly, lockWaitMs }), systemSeams);
}

try {
  const random = seededRandom(plan.seed);
  const client = await openClient(random);
  try {
    await ROLES[plan.role](client, { plan, recorder, random, until: performance.now() + plan.durationMs });
  } finally {
    await client.close().catch(() => {});
  }
} catch (error) {
  if (!(plan.mayFail ?? []).includes(error.code)) recorder.crash(`${plan.name}: ${error.stack ?? error}`);
}
// A wait for a lock that was given up may still have a thread.
process.exit(0);
