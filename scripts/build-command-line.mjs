// Builds the command line: dist/klog.cjs, which has everything and runs alone, and in dist/start/ what bin/klog.js
// starts everyday commands with: NAME.js, a bundle of the chunks that such commands load, and NAME.cache, what V8
// compiled of it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleText, chunkBody } from './bundle-chunks.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

/** What a bundle carries itself; every other dependency is loaded from node_modules when it is first needed. */
const BUNDLED = ['commander', 'chalk', 'parse-duration', 'lilconfig'];

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const external = Object.keys(manifest.dependencies)
  .filter((name) => !BUNDLED.includes(name))
  .flatMap((name) => [name, `${name}/*`]);
// Optional packages of a platform are resolved where klog runs.
external.push('@node-rs/*');

/** The starts with a bundle of their own. All other commands run klog.cjs, with the cache "other". */
const STARTS = ['help', 'produce', 'consume', 'topic', 'list'];

export async function buildCommandLine() {
  const { bodies, maps } = await buildChunks();
  const { text, lines } = bundleText(bodies);
  writeFileSync(join(dist, 'klog.cjs'), `${text}\n//# sourceMappingURL=klog.cjs.map\n`);
  const sections = [...maps].map(([name, map]) => ({ offset: { line: lines.get(name), column: 0 }, map }));
  // Node asks for `sources`, though sections have their own.
  writeFileSync(join(dist, 'klog.cjs.map'), JSON.stringify({ version: 3, sources: [], sections }));
  rmSync(join(dist, 'cache'), { recursive: true, force: true });
  rmSync(join(dist, 'start'), { recursive: true, force: true });
  mkdirSync(join(dist, 'start'));
  for (const name of STARTS) {
    const loaded = new Set(JSON.parse(warm('list', name, 'klog.cjs')));
    const { text } = bundleText([...bodies].filter(([chunk]) => loaded.has(chunk)));
    writeFileSync(join(dist, 'start', `${name}.js`), text);
    warm('cache', name, `start/${name}.js`);
  }
  warm('cache', 'other', 'klog.cjs');
}

/** With a real pipe for its input, which is read as such: what `spawn` makes is a socket. */
function warm(...words) {
  const script = join(root, 'scripts', 'warm-start.mjs');
  const line = `printf 'a:1\\nb:2\\nc:3\\n' | "$0" "$@"`;
  const stdio = ['ignore', 'ignore', 'pipe', 'pipe'];
  const { status, output } = spawnSync('sh', ['-c', line, process.execPath, script, ...words], { stdio });
  if (status !== 0) throw new Error(`warm-start.mjs ${words.join(' ')} failed: ${output[2]}`);
  return output[3].toString();
}

/** The body and the source map of each chunk, by its name. */
async function buildChunks() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/cli/start.ts'],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minify: true,
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    // The global `performance` loads node:perf_hooks, a millisecond. Where the library needs a `require` it takes
    // `__filename` when there is no URL.
    define: { 'performance.now': 'monotonicNow', 'import.meta.url': 'undefined' },
    external,
    plugins: [lazyBuiltins, ownModules],
    logLevel: 'warning',
    metafile: true,
    write: false,
  });
  refuseCycles(metafile.outputs);
  refuseVariables(Object.keys(metafile.inputs));
  const files = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const names = [...files.keys()].filter((file) => file.endsWith('.js')).map((file) => basename(file, '.js'));
  // bin/klog.js reads bundles as Latin-1, which is quicker. esbuild leaves regular expressions as they are.
  const ascii = (text) =>
    text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return {
    bodies: new Map(names.map((name) => [name, chunkBody(ascii(files.get(`${name}.js`)))])),
    maps: new Map(names.map((name) => [name, fromRoot(JSON.parse(files.get(`${name}.js.map`)))])),
  };
}

/** What a chunk exports is read once, when it has run. */
function refuseVariables(inputs) {
  for (const path of inputs.filter((input) => input.startsWith('src/'))) {
    if (/^export (let|var)\b/m.test(readFileSync(join(root, path), 'utf8')))
      throw new Error(`${path} exports a variable`);
  }
}

/** Sources as they are called in the repository: a stack shows them as they stand in the map. */
function fromRoot(map) {
  return { ...map, sources: map.sources.map((path) => path.replace(/^\.\.\//, '')) };
}

/** A chunk is run to its end before the one that imports it: two that import each other would wait for each other. */
function refuseCycles(outputs) {
  const finished = new Set();
  const visit = (path, above) => {
    if (finished.has(path)) return;
    if (above.includes(path)) throw new Error(`chunks import each other: ${[...above, path].join(' → ')}`);
    for (const { path: next, kind } of outputs[path].imports) {
      if (kind === 'import-statement' && next in outputs) visit(next, [...above, path]);
    }
    finished.add(path);
  };
  for (const path of Object.keys(outputs)) visit(path, []);
}

/**
 * Built-in modules that most commands never call, though a file they load imports them: each is loaded at the first
 * call of one of its functions, or look into one of its tables. Saves 6 ms of the start of `klog topic list`. A file
 * that wants anything else of a module loads it.
 */
const LAZY_BUILTINS = ['child_process', 'crypto', 'fs/promises', 'os', 'timers/promises', 'v8', 'vm', 'zlib'];

const lazyBuiltins = {
  name: 'lazy-builtins',
  setup({ onResolve, onLoad }) {
    const filter = new RegExp(`^node:(${LAZY_BUILTINS.join('|')})$`);
    onResolve({ filter }, ({ path, importer, kind }) => {
      if (kind === 'require-call') return { path, namespace: 'lazy-builtin-required' };
      const lazy = lazyExports(path);
      const isLazy = namesImported(readFileSync(importer, 'utf8'), path)?.every((name) => lazy.has(name));
      return isLazy ? { path, namespace: 'lazy-builtin', sideEffects: false } : { path, external: true };
    });
    onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, ({ path }) => ({
      contents: [...lazyExports(path)].map(([name, value]) => `export const ${name} = ${value};`).join('\n'),
    }));
    onLoad({ filter: /.*/, namespace: 'lazy-builtin-required' }, ({ path }) => ({
      contents: `module.exports = ${lazyTable(`process.getBuiltinModule('${path}')`)};`,
    }));
  },
};

function lazyExports(path) {
  const module = process.getBuiltinModule(path);
  const found = `process.getBuiltinModule('${path}')`;
  const exports = new Map();
  for (const name of Object.keys(module).filter((key) => /^[a-z]\w*$/.test(key) && key !== 'default')) {
    if (typeof module[name] === 'function') exports.set(name, `(...args) => ${found}.${name}(...args)`);
    else exports.set(name, `/* @__PURE__ */ ${lazyTable(`${found}.${name}`)}`);
  }
  return exports;
}

function lazyTable(table) {
  return `new Proxy({}, { get: (_, key) => ${table}[key] })`;
}

/** Undefined: not by `import { … }`. */
function namesImported(source, path) {
  const names = new RegExp(`^import \\{([^}]*)\\} from '${path}';`, 'm').exec(source)?.[1].split(',');
  return names
    ?.map((name) => name.trim().replace(/ as .*/, ''))
    .filter((name) => name !== '' && !name.startsWith('type '));
}

/**
 * Modules that cost a part of a millisecond for what is there already: `createRequire` comes with node:module, and in a
 * bundle answers the bundle's own `require`; node:process is a global.
 */
const ownModules = {
  name: 'own-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:(module|process)$/ }, ({ path }) => ({ path, namespace: 'own-module' }));
    onLoad({ filter: /module/, namespace: 'own-module' }, () => ({
      contents: 'export const createRequire = () => require;',
    }));
    onLoad({ filter: /process/, namespace: 'own-module' }, () => ({ contents: 'module.exports = process;' }));
  },
};
