#!/usr/bin/env node
// Runs the command line with the code that V8 compiled when it was built. Everyday commands have bundles of their own, of the
// chunks they need, since what is in a bundle or a cache takes time whether it is run or not; dist/klog.cjs has everything.
// A cache names the bundle it was made from; another version of Node refuses it, and compiles as ever.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const dist = join(__dirname, '..', 'dist');
const whole = join(dist, 'klog.cjs');

/** What the command line begins with: the start that was made by running such commands. A wrong choice costs time only. */
const STARTS = {
  produce: 'produce',
  consume: 'consume',
  tail: 'consume',
  get: 'consume',
  topic: 'topic',
  'topic list': 'list',
  'topic ls': 'list',
};

function startName(args) {
  const index = args.findIndex((arg) => !arg.startsWith('-'));
  return index < 0 ? 'help' : (STARTS[`${args[index]} ${args[index + 1]}`] ?? STARTS[args[index]]);
}

/** What a bundle exports; undefined where the build has no cache for it. */
function loadWithCache(filename, cacheName) {
  const { Script } = require('node:vm');
  let source;
  let cache;
  try {
    // Bundles are ASCII.
    source = readFileSync(filename, 'latin1');
    cache = readFileSync(join(dist, 'start', `${cacheName}.cache`));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  const idLength = source.indexOf('\n');
  if (cache.latin1Slice(0, idLength) !== source.slice(0, idLength)) return undefined;
  const script = new Script(source, { filename, cachedData: cache.subarray(idLength) });
  const exports = {};
  // It finds packages as the whole does.
  script.runInThisContext()(exports, require, { importModule: (name) => import(name) }, whole);
  return exports;
}

function loadWhole() {
  return loadWithCache(whole, 'other') ?? require(whole);
}

function load() {
  if (process.env.KLOG_DEBUG === '1') {
    // Stacks that name the sources.
    process.setSourceMapsEnabled(true);
    return require(whole);
  }
  const name = startName(process.argv.slice(2));
  const own = name === undefined ? undefined : loadWithCache(join(dist, 'start', `${name}.js`), name);
  return own ?? loadWhole();
}

void load()
  .start(() => loadWhole().chunks)
  .main();
