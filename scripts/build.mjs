// Builds dist/: the library by tsc (dist/index.js and types), the command line by esbuild (dist/klog.cjs, one file).
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

async function buildCommandLine() {
  await build({
    absWorkingDir: root,
    entryPoints: ['src/cli/start.ts'],
    outfile: 'dist/klog.cjs',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    // Where the library needs a `require` it takes `__filename` when there is one.
    logOverride: { 'empty-import-meta': 'silent' },
    external,
    plugins: [lazyChildProcess],
    logLevel: 'warning',
  });
}

/** Commander loads node:child_process for commands in files of their own, which klog has none of: 3 ms of each start. */
const lazyChildProcess = {
  name: 'lazy-child-process',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer, path }) =>
      importer.includes('/commander/') ? { path, namespace: 'lazy' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'lazy' }, () => ({
      contents: `module.exports = { spawn: (...args) => process.getBuiltinModule('node:child_process').spawn(...args) };`,
    }));
  },
};

function buildLibrary() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('tsc found errors');
}

const shared = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs'].map((name) =>
  join(root, name),
);
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
