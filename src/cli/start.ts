/** The bundle's entry: it runs when it is the program, and is called by bin/klog.js, which loads it faster. */
import { ProcessContext } from './cli-context.js';
import { main, runCommandLine } from './main.js';

export { main, ProcessContext, runCommandLine };

if (require.main === module) void main();
