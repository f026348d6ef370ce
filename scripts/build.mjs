// Builds dist/: the library by tsc (dist/index.js and types), the command line by esbuild (build-command-line.mjs).
// Each part is skipped while what it was made from is unchanged, so that `npm test` may build every time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCommandLine } from './build-command-line.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'dist', '.built.json');
const force = process.argv.includes('--force');

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

/**
 * Name, size and time of every source: reading them all would take longer than the bundle. And the Node that builds: no
 * other takes its code caches.
 */
function fingerprint(files) {
  const hash = createHash('sha256').update(process.version);
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

function buildLibrary() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('tsc failed');
}

const shared = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/build.mjs',
  'scripts/build-command-line.mjs',
  'scripts/bundle-chunks.mjs',
  'scripts/warm-start.mjs',
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
