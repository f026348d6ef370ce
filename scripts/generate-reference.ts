// Writes completions/ and man/ from the command tree. test/cli/reference/ fails when they are stale.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { referenceFiles } from './reference-files.js';

const root = dirname(import.meta.dirname);
for (const directory of ['completions', 'man']) {
  mkdirSync(join(root, directory), { recursive: true });
  for (const name of readdirSync(join(root, directory))) rmSync(join(root, directory, name));
}
const files = await referenceFiles();
for (const [path, text] of files) writeFileSync(join(root, path), text);
console.log(`${files.size} files of reference written`);
