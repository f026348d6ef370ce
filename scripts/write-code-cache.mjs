// Writes dist/klog.cache: what V8 compiled of dist/klog.cjs while it ran the everyday commands, for bin/klog.js.
// The first line of the bundle, its hash, comes first, so that a cache is never used for another bundle.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const filename = join(dist, 'klog.cjs');
const source = readFileSync(filename, 'latin1');
const script = new vm.Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, { filename });
const bundle = { exports: {}, importModule: (name) => import(name) };
script.runInThisContext()(bundle.exports, createRequire(filename), bundle, filename, dist);

/** What to have compiled: each runs on the directory that those before it left. */
const COMMANDS = [
  ['topic', 'create', 'warm', '-p', '2'],
  ['topic', 'list'],
  ['topic', 'describe', 'warm'],
  ['produce', 'warm', '-K', ':'],
  ['produce', 'warm'],
  ['consume', 'warm'],
  ['consume', 'warm', '-J'],
  ['tail', 'warm'],
  ['get', 'warm:0@0'],
];

/** The process's own, but for what it reads and where. Standard output is /dev/null. */
function warmContext() {
  const context = new bundle.exports.ProcessContext();
  const stdin = {
    name: 'standard input',
    isTerminal: false,
    async *chunks() {
      yield Buffer.from('a:1\nb:2\nc:3\n');
    },
  };
  Object.defineProperties(context, {
    cwd: { value: directory },
    env: { value: { HOME: directory } },
    stdin: { value: stdin },
    stderr: { value: { isTerminal: false, write() {} } },
  });
  return context;
}

const directory = mkdtempSync(join(tmpdir(), 'klog-build-'));
try {
  for (const command of COMMANDS) {
    const code = await bundle.exports.runCommandLine(command, warmContext());
    if (code !== 0) console.error(`not in the code cache: klog ${command.join(' ')} ended with ${code}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
writeFileSync(
  join(dist, 'klog.cache'),
  Buffer.concat([Buffer.from(source.slice(0, source.indexOf('\n')), 'latin1'), script.createCachedData()]),
);
process.exit(0);
