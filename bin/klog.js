#!/usr/bin/env node
// Runs dist/klog.cjs with the code that V8 compiled when it was built: 10 to 15 ms of a start. Everyday commands have caches
// of their own, since what is in a cache takes time whether it is run or not. A cache names the bundle it was made from;
// another version of Node refuses it, and compiles as ever.
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

const filename = join(__dirname, '..', 'dist', 'klog.cjs');

/** A word of the command line: the cache that was made by running such commands. A wrong choice costs time only. */
const CACHES = {
  produce: 'produce',
  consume: 'consume',
  tail: 'consume',
  get: 'consume',
  topic: 'topic',
};

function cacheName(args) {
  const word = args.find((arg) => !arg.startsWith('-'));
  return word === undefined ? 'help' : (CACHES[word] ?? 'other');
}

function loadWithCache() {
  const { Script } = require('node:vm');
  // The bundle is ASCII.
  const source = readFileSync(filename, 'latin1');
  const cache = readFileSync(join(__dirname, '..', 'dist', 'cache', cacheName(process.argv.slice(2))));
  const idLength = source.indexOf('\n');
  if (cache.toString('latin1', 0, idLength) !== source.slice(0, idLength)) return undefined;
  const script = new Script(source, { filename, cachedData: cache.subarray(idLength) });
  const bundle = { exports: {}, importModule: (name) => import(name) };
  script.runInThisContext()(bundle.exports, require, bundle, filename, dirname(filename));
  return bundle.exports;
}

function load() {
  if (process.env.KLOG_DEBUG === '1') {
    // Stacks that name the sources.
    process.setSourceMapsEnabled(true);
    return require(filename);
  }
  try {
    const loaded = loadWithCache();
    if (loaded !== undefined) return loaded;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return require(filename);
}

void load().main();
