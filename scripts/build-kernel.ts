// Compiles src/format/kernel/assembly by AssemblyScript and writes what comes out as base64 to *-module.ts. With
// --check it only says whether these files are what would be written. The compiler is fetched when it is needed: its
// 100 MB are for nobody who does not change a kernel.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { COMPILER, flags, KERNELS, type Kernel, kernelDigest, moduleFile, sourceFile } from './kernel-digest.js';

const root = dirname(import.meta.dirname);
const directory = mkdtempSync(join(tmpdir(), 'klog-kernel-'));

function moduleText(kernel: Kernel): string {
  const out = join(directory, `${kernel.name}.wasm`);
  const run = ['--yes', `--package=${COMPILER}`, '--', 'asc', sourceFile(kernel), ...flags(kernel), '--outFile', out];
  execFileSync('npx', run, { cwd: root, stdio: 'inherit' });
  const lines = readFileSync(out)
    .toString('base64')
    .match(/.{1,110}/g)!
    .map((line) => `  '${line}'`);
  return `// Made by \`npm run kernel\` from ${sourceFile(kernel)}; do not edit.
/** Of source and compiler: a test tells by it that this file is stale. */
export const DIGEST = '${kernelDigest(root, kernel)}';
/** WebAssembly, in base64. */
export const MODULE =
${lines.join(' +\n')};
`;
}

try {
  for (const kernel of KERNELS) {
    const text = moduleText(kernel);
    const file = join(root, moduleFile(kernel));
    if (!process.argv.includes('--check')) writeFileSync(file, text);
    else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
      console.error(`${moduleFile(kernel)} is stale: npm run kernel`);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
