// node scripts/write-code-cache.mjs [CACHE…]
// Writes dist/cache/: what V8 compiled of dist/klog.cjs while it ran commands of one kind, for bin/klog.js; a process for each
// cache, since whatever a process has compiled is in it. The first line of the bundle, its hash, comes first, so that a cache
// is never used for another bundle.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const filename = join(dist, 'klog.cjs');

const PRODUCE = [
  ['produce', 'warm', '-K', ':'],
  ['produce', 'warm'],
  ['produce', 'warm', '--value', 'x'],
];
const CONSUME = [
  ['consume', 'warm'],
  ['consume', 'warm', '-J'],
  ['tail', 'warm'],
  ['get', 'warm:0@0'],
];
const TOPIC = [
  ['topic', 'create', 'another', '-p', '2'],
  ['topic', 'list'],
  ['topic', 'describe', 'another'],
];

/** What to have compiled, by the cache's name in bin/klog.js. */
const COMMANDS = {
  help: [['--help'], ['--version']],
  produce: PRODUCE,
  consume: CONSUME,
  topic: TOPIC,
  other: [...TOPIC, ...PRODUCE, ...CONSUME],
};

const names = process.argv.slice(2);
if (names.length === 1) await writeCache(names[0]);
else writeAll(names.length === 0 ? Object.keys(COMMANDS) : names);

function writeAll(caches) {
  rmSync(join(dist, 'cache'), { recursive: true, force: true });
  mkdirSync(join(dist, 'cache'));
  for (const name of caches) {
    const directory = mkdtempSync(join(tmpdir(), 'klog-build-'));
    try {
      run([filename, 'produce', 'warm', '-q', '--value', 'a:1'], directory);
      run([fileURLToPath(import.meta.url), name], directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

function run(args, directory) {
  // No settings of whoever builds.
  const settings = { KLOG_DIR: undefined, KLOG_BROKERS: undefined, XDG_CONFIG_HOME: undefined };
  const env = { ...process.env, ...settings, HOME: directory };
  const { status } = spawnSync(process.execPath, args, { cwd: directory, env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${args.join(' ')} failed`);
}

async function writeCache(name) {
  const source = readFileSync(filename, 'latin1');
  const script = new vm.Script(source, { filename });
  const bundle = { exports: {}, importModule: (path) => import(path) };
  script.runInThisContext()(bundle.exports, createRequire(filename), bundle, filename, dist);
  for (const command of COMMANDS[name]) {
    const code = await bundle.exports.runCommandLine(command, warmContext(bundle.exports));
    if (code !== 0) console.error(`not in the code cache: klog ${command.join(' ')} ended with ${code}`);
  }
  const id = Buffer.from(source.slice(0, source.indexOf('\n')), 'latin1');
  writeFileSync(join(dist, 'cache', name), Buffer.concat([id, script.createCachedData()]));
  process.exit(0);
}

/** The process's own, but for what it reads and says. Standard output is /dev/null. */
function warmContext({ ProcessContext }) {
  const context = new ProcessContext();
  const stdin = {
    name: 'standard input',
    isTerminal: false,
    async *chunks() {
      yield Buffer.from('a:1\nb:2\nc:3\n');
    },
  };
  Object.defineProperties(context, {
    env: { value: { HOME: process.cwd() } },
    stdin: { value: stdin },
    stderr: { value: { isTerminal: false, write() {} } },
  });
  return context;
}
