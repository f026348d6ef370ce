// node scripts/warm-start.mjs list|cache NAME BUNDLE
// Runs the commands that the start NAME is for, with a bundle of dist/. `list` writes the chunks that they loaded to
// descriptor 3, as JSON. `cache` writes dist/start/NAME.cache: what V8 compiled of the bundle, for bin/klog.js. The
// first line of the bundle, its hash, comes first, so that a cache is never used for another bundle.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const whole = join(dist, 'klog.cjs');

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'];
const PRODUCE = [
  ['produce', 'warm'],
  ['produce', 'warm', '-K', ':'],
  ['produce', 'warm', '--value', 'x'],
  ...CODECS.map((codec) => ['produce', 'warm', '--value', 'x', '-z', codec]),
];
const CONSUME = [
  ['consume', 'warm'],
  ['consume', 'warm', '-J'],
  ['consume', 'warm', '-o', '@0', '-n', '1'],
  ['consume', 'warm', '-f', '%k %v\\n'],
  ['tail', 'warm'],
  ['get', 'warm:0@0'],
];
const TOPIC = [
  ['topic', 'create', 'another', '-p', '2'],
  ['topic', 'describe', 'another'],
];
const LIST = [['topic', 'list']];

/** What a start is for. Kept short: all that is in a bundle or a cache takes time, whether it is run or not. */
const COMMANDS = {
  help: [['--help'], ['--version']],
  produce: PRODUCE,
  consume: CONSUME,
  topic: TOPIC,
  list: LIST,
  other: [...TOPIC, ...LIST, ...PRODUCE, ...CONSUME],
};

const [action, name, bundle] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'klog-build-'));
process.chdir(directory);
// No settings of whoever builds.
for (const setting of ['KLOG_DIR', 'KLOG_BROKERS', 'KLOG_FORMAT', 'KLOG_ACKS', 'XDG_CONFIG_HOME']) {
  delete process.env[setting];
}
process.env.HOME = directory;
try {
  await (action === 'list' ? listChunks() : writeCache());
} finally {
  process.chdir('/');
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);

async function listChunks() {
  const { names } = await runCommands();
  writeFileSync(3, JSON.stringify(names));
}

async function writeCache() {
  const { source, script } = await runCommands();
  const id = Buffer.from(source.slice(0, source.indexOf('\n')), 'latin1');
  writeFileSync(join(dist, 'start', `${name}.cache`), Buffer.concat([id, script.createCachedData()]));
}

async function runCommands() {
  for (const codec of ['none', ...CODECS]) {
    spawnSync(process.execPath, [whole, 'produce', 'warm', '-q', '--value', 'a:1', '-z', codec], { stdio: 'inherit' });
  }
  const filename = join(dist, bundle);
  const source = readFileSync(filename, 'latin1');
  const script = new vm.Script(source, { filename });
  const require = createRequire(whole);
  const exports = {};
  script.runInThisContext()(exports, require, { importModule: (path) => import(path) }, whole);
  const { ProcessContext, runCommandLine } = exports.start(() => require(whole).chunks);
  for (const [index, command] of COMMANDS[name].entries()) {
    const context = index === 0 ? new ProcessContext() : warmContext(ProcessContext);
    const code = await runCommandLine(command, context);
    if (code !== 0) throw new Error(`klog ${command.join(' ')} ended with ${code}`);
  }
  return { source, script, names: [...exports.loaded.keys()] };
}

/** The process's own, but for what it reads and says: only the first command finds something in the pipe. */
function warmContext(ProcessContext) {
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
