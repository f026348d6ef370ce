// A process that takes part in rounds (../actor-process.ts). Its role in a round and everything random about it are the
// plan.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { compactTopic } from './compactor.mjs';
import { faultyFileSystem } from './faulty-file-system.mjs';
import { read } from './reader.mjs';
import { Recorder, seededRandom } from './recorder.mjs';
import { replaceTopic } from './replacer.mjs';
import { write } from './writer.mjs';

const ROLES = { write, read, replace: replaceTopic, compact: compactTopic };

/** Answers what opens the client: everything is loaded before the round begins. */
async function loadClient(plan, recorder, random) {
  const library = (path) => import(pathToFileURL(`${plan.library}/${path}`).href);
  // Longer than a round may take on a busy machine, many rolls with one hold of the lock too: beyond it, they block
  // each other.
  const { directory, readOnly = false, lockWaitMs = 50_000 } = plan;
  if (plan.faults === undefined && plan.slow === undefined) {
    const { openClient } = await library('index.js');
    return () => openClient({ directory, readOnly, lockWaitMs });
  }
  const [{ nodeFileSystem }, { openStore }, { LocalClient }, { systemSeams }, { decodeControlRecord }] =
    await Promise.all([
      library('store/node-file-system.js'),
      library('store/store.js'),
      library('clients/local/local-client.js'),
      library('clients/local/client-seams.js'),
      library('storage/control-record.js'),
    ]);
  const fs = faultyFileSystem(nodeFileSystem, plan, { random, recorder, decodeControlRecord });
  return async () => new LocalClient(await openStore(fs, directory, { readOnly, lockWaitMs }), systemSeams);
}

/** `over`: a signal that comes when the round is over. */
async function takePart(plan, begins, over) {
  const recorder = new Recorder(plan.history);
  try {
    const random = seededRandom(plan.seed);
    const openClient = await loadClient(plan, recorder, random);
    say('ready');
    await begins;
    const client = await openClient();
    try {
      await ROLES[plan.role](client, { plan, recorder, random, over });
    } finally {
      await client.close().catch(() => {});
    }
  } catch (error) {
    if (!(plan.mayFail ?? []).includes(error.code)) recorder.crash(`${plan.name}: ${error.stack ?? error}`);
  }
  recorder.close();
  say('done');
}

function say(line) {
  writeSync(1, `${line}\n`);
}

let begin = () => {};
let over = new AbortController();
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  if (line === 'begin') begin();
  else if (line === 'over') over.abort();
  else {
    over = new AbortController();
    const begins = new Promise((resolve) => {
      begin = resolve;
    });
    void takePart(JSON.parse(line), begins, over.signal);
  }
});
// A wait for a lock that was given up may still have a thread.
lines.on('close', () => process.exit(0));
