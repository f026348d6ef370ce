/**
 * npm run vectors -- DIR
 *
 * Runs klog against every vector listed in DIR/vectors.json. Exits 1 if one does not match, 0 otherwise, and 2 when
 * there is nothing to run.
 */
import { resolve } from 'node:path';
import { runVectors } from './vectors/run.js';

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined || rest.length > 0) {
  console.error('usage: npm run vectors -- DIR');
  process.exitCode = 2;
} else {
  try {
    // npm runs scripts in the package's directory: DIR is meant from where the user stands.
    const path = resolve(process.env.INIT_CWD ?? '.', folder);
    const { mismatches } = await runVectors(path, (line) => console.log(line));
    process.exitCode = mismatches > 0 ? 1 : 0;
  } catch (error) {
    console.error(`vectors: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
  }
}
