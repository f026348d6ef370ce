/**
 * What a bundle starts with (scripts/bundle-chunks.mjs): `main` where it is the program, or where bin/klog.js loads it.
 */
export { ProcessContext } from './cli-context.js';
export { main, runCommandLine } from './main.js';
