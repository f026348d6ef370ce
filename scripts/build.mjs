// Builds dist/: the library by tsc (dist/index.js and types), the command line by esbuild (dist/klog.cjs, one file, and the
// code caches of dist/cache/ that bin/klog.js loads it with).
// Each part is skipped while what it was made from is unchanged, so that `npm test` may build every time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'dist', '.built.json');
const force = process.argv.includes('--force');

/** What the bundle carries itself; every other dependency is loaded from node_modules when it is first needed. */
const BUNDLED = ['commander', 'chalk', 'parse-duration', 'lilconfig'];

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const external = Object.keys(manifest.dependencies)
  .filter((name) => !BUNDLED.includes(name))
  .flatMap((name) => [name, `${name}/*`]);
// Optional packages of a platform are resolved where klog runs.
external.push('@node-rs/*');

function readStamps() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

function sourceFiles(directory) {
  return readdirSync(join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** Name, size and time of every source: reading them all would take longer than the bundle. */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function exists(path) {
  try {
    return statSync(join(root, path)).isFile();
  } catch {
    return false;
  }
}

const NO_ID = '0'.repeat(64);

/**
 * The first line names the bundle, for its code caches. What follows is one expression: a function, which bin/klog.js calls
 * with the names of a module, and which calls itself where the file is a module (so the text is compiled as it is read, not
 * copied into a wrapper). What runs by node:vm cannot say import(); bin/klog.js hands its own in.
 */
const BANNER = `// ${NO_ID}
(function(bundle){if(typeof module==='undefined')return bundle;bundle(exports,require,module,__filename,__dirname)})(function(exports,require,module,__filename,__dirname){"use strict";
const importModule=module.importModule??((name)=>import(name));
const monotonicNow=()=>{const[s,ns]=process.hrtime();return s*1e3+ns/1e6};`;
const FOOTER = '})';

async function buildCommandLine() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/cli/start.ts'],
    outfile: 'dist/klog.cjs',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    banner: { js: BANNER },
    footer: { js: FOOTER },
    // The global `performance` loads node:perf_hooks, a millisecond.
    define: { 'performance.now': 'monotonicNow' },
    // Where the library needs a `require` it takes `__filename` when there is one.
    logOverride: { 'empty-import-meta': 'silent' },
    external,
    plugins: [lazyBuiltins, ownRequire],
    logLevel: 'warning',
    write: false,
  });
  const [map, bundle] = outputFiles;
  // bin/klog.js reads it as Latin-1, which is quicker. esbuild leaves regular expressions as they are.
  const ascii = bundle.text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const code = ascii.replaceAll('import("', 'importModule("');
  const id = createHash('sha256').update(code).digest('hex');
  writeFileSync(join(root, 'dist', 'klog.cjs'), code.replace(NO_ID, id));
  writeFileSync(join(root, 'dist', 'klog.cjs.map'), map.contents);
  runNode([join(root, 'scripts', 'write-code-cache.mjs')], ['ignore', 'ignore', 'inherit']);
}

/**
 * Built-in modules that most commands never call, though a file they load imports them: each is loaded at the first use
 * of one of its names. Saves 6 ms of the start of `klog topic list`.
 */
const LAZY_BUILTINS = ['child_process', 'crypto', 'fs/promises', 'os', 'timers/promises', 'v8', 'vm', 'zlib'];

const lazyBuiltins = {
  name: 'lazy-builtins',
  setup({ onResolve, onLoad }) {
    const filter = new RegExp(`^node:(${LAZY_BUILTINS.join('|')})$`);
    onResolve({ filter }, ({ path }) => ({ path, namespace: 'lazy-builtin' }));
    onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, ({ path }) => {
      const names = Object.entries(process.getBuiltinModule(path));
      const isPlain = ([name, value]) => typeof value === 'function' && /^[a-z]/.test(name);
      const functions = names.filter(isPlain).map(([name]) => name);
      const others = names.filter((entry) => !isPlain(entry) && entry[0] !== 'default').map(([name]) => name);
      return {
        contents: `
const load = () => process.getBuiltinModule('${path}');
for (const name of ${JSON.stringify(functions)}) exports[name] = (...args) => load()[name](...args);
for (const name of ${JSON.stringify(others)}) Object.defineProperty(exports, name, { enumerable: true, get: () => load()[name] });`,
      };
    });
  },
};

/** `createRequire` comes with node:module, which takes a millisecond: in the bundle it answers the bundle's own `require`. */
const ownRequire = {
  name: 'own-require',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:module$/ }, ({ path }) => ({ path, namespace: 'own-require' }));
    onLoad({ filter: /.*/, namespace: 'own-require' }, () => ({ contents: 'exports.createRequire = () => require;' }));
  },
};

function buildLibrary() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  runNode([tsc, '-p', 'tsconfig.build.json'], 'inherit');
}

function runNode(args, stdio) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio });
  if (status !== 0) throw new Error(`${args[0]} failed`);
}

const shared = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/build.mjs',
  'scripts/write-code-cache.mjs',
].map((name) => join(root, name));
const sources = sourceFiles('src');
const librarySources = sources.filter((file) => !file.startsWith(join(root, 'src', 'cli')));
const parts = [
  { name: 'command line', output: 'dist/klog.cjs', files: sources, run: buildCommandLine },
  { name: 'library', output: 'dist/index.js', files: librarySources, run: buildLibrary },
];

const stamps = force ? {} : readStamps();
if (force) rmSync(join(root, 'dist'), { recursive: true, force: true });
mkdirSync(join(root, 'dist'), { recursive: true });
for (const part of parts) {
  const stamp = fingerprint([...shared, ...part.files]);
  if (stamps[part.name] === stamp && exists(part.output)) continue;
  const start = performance.now();
  await part.run();
  stamps[part.name] = stamp;
  writeFileSync(stampFile, JSON.stringify(stamps));
  console.error(`built the ${part.name} in ${Math.round(performance.now() - start)} ms`);
}
