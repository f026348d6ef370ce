// Compiles src/format/kernel/assembly by AssemblyScript and writes what comes out as base64 to print-module.ts. With --check it
// only says whether that file is what would be written. The compiler is fetched when it is needed: its 100 MB are for nobody
// who does not change the kernel.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { COMPILER, FLAGS, kernelDigest, MODULE_FILE, SOURCE_FILE } from './kernel-digest.js';

const root = dirname(import.meta.dirname);
const directory = mkdtempSync(join(tmpdir(), 'klog-kernel-'));
try {
  const out = join(directory, 'print.wasm');
  const run = ['--yes', `--package=${COMPILER}`, '--', 'asc', SOURCE_FILE, ...FLAGS, '--outFile', out];
  execFileSync('npx', run, { cwd: root, stdio: 'inherit' });
  const lines = readFileSync(out)
    .toString('base64')
    .match(/.{1,110}/g)!
    .map((line) => `  '${line}'`);
  const text = `// Made by \`npm run kernel\` from ${SOURCE_FILE}; do not edit.
/** Of source and compiler: a test tells by it that this file is stale. */
export const DIGEST = '${kernelDigest(root)}';
/** WebAssembly, in base64. */
export const MODULE =
${lines.join(' +\n')};
`;
  const file = join(root, MODULE_FILE);
  const isFresh = readFileSync(file, 'utf8') === text;
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!isFresh) {
    console.error(`${MODULE_FILE} is stale: npm run kernel`);
    process.exitCode = 1;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
