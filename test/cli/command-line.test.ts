import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { wantsColor } from '../../src/cli/style.js';
import { run } from './support/fake-context.js';
import { MemoryClient } from './support/memory-client.js';

const client = () => new MemoryClient().add('orders', 3);

describe('the command line', () => {
  it('knows its version', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, out: `${manifest.version}\n`, err: '' });
  });

  it('takes global options before and after the command; the nearest wins', async () => {
    const lines = [
      '--json -d / topic list',
      'topic -d / --json list',
      'topic list -d / --json',
      '-d /nowhere topic list -d / --json',
    ];
    for (const line of lines) {
      const { code, out, context } = await run(line, { client: client() });
      expect({ line, code }).toEqual({ line, code: 0 });
      expect(JSON.parse(out)).toHaveLength(1);
      expect(context.opened).toEqual([{ directory: '/' }]);
    }
  });

  it('prints help on standard output, with examples and exit codes', async () => {
    for (const line of ['--help', '-h', 'help']) {
      const { code, out, err } = await run(line);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toContain('Exit codes:\n  0     done');
      expect(out).toContain('Examples:');
    }
    const { out } = await run('help topic create');
    expect(out).toBe((await run('topic create --help')).out);
    expect(out).toContain('Usage: klog topic create [options] <topic...>');
    expect(out).toContain('Examples:');
    expect(out).not.toContain('--num-partitions');
  });

  it.each([
    ['help tpoic', "klog: unknown command 'tpoic'. Did you mean topic?\n"],
    ['nothing-like-it --help', "klog: unknown command 'nothing-like-it'. See 'klog --help'.\n"],
    ['help topic lits', "klog: topic: unknown command 'lits'. Did you mean list?\n"],
    ['topic lits -h', "klog: topic: unknown command 'lits'. Did you mean list?\n"],
  ])('%s: has no help for a command that is not there', async (line, message) => {
    expect(await run(line)).toMatchObject({ code: 2, out: '', err: message });
  });

  it('shows help on standard error, and ends with 2, where the command is missing', async () => {
    for (const line of ['', 'topic']) {
      const { code, out, err } = await run(line);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain('Usage: klog');
    }
  });

  it.each([
    ['tpoic list', "klog: unknown command 'tpoic'. Did you mean topic?\n"],
    ['topic lits', "klog: topic: unknown command 'lits'. Did you mean list?\n"],
    ['topic create a --partitons 2', "klog: topic create: unknown option '--partitons'. Did you mean --partitions?\n"],
    [
      'topic create a -p',
      "klog: topic create: option '-p, --partitions <n>' argument missing. See 'klog topic create --help'.\n",
    ],
    ['-d a -b c topic list', 'klog: --dir and --brokers exclude each other. Give one of the two.\n'],
  ])('%s: one line that helps, and 2', async (line, message) => {
    expect(await run(line)).toMatchObject({ code: 2, out: '', err: message });
  });

  it('refuses a cluster with 1 and one line', async () => {
    const { code, err } = await run('-b localhost:9092 topic list');
    expect(code).toBe(1);
    expect(err).toBe(
      "klog: cannot connect to 'localhost:9092': this version works on directories only. Name a directory with -d.\n",
    );
    expect((await run('topic list --bootstrap-server localhost:9092')).code).toBe(1);
  });

  it('gives errors as JSON, even those of its flags', async () => {
    const { err } = await run('topic list --json --nope');
    expect(JSON.parse(err)).toMatchObject({ code: 'KLOG_USAGE', exit: 2 });
  });

  it('lists nothing, with a note and 0, where there is no log; 4 for what names a topic', async () => {
    const options = { env: { KLOG_DIR: '/nowhere/at/all' } };
    expect(await run('topic list', options)).toMatchObject({
      code: 0,
      out: '',
      err: 'there is no log at /nowhere/at/all yet\n',
    });
    expect(await run('topic list --json -q', options)).toMatchObject({ code: 0, out: '[]\n', err: '' });
    for (const line of [
      'topic list a',
      'topic describe a',
      'topic offsets a',
      'topic alter a -p 2',
      'topic delete a -y',
    ]) {
      const { code, err } = await run(line, options);
      expect({ line, code }).toEqual({ line, code: 4 });
      expect(err).toContain("unknown topic 'a': there is no log at /nowhere/at/all");
    }
    expect((await run('topic delete a --if-exists', options)).code).toBe(0);
  });

  it('ends with 0 when the reader went away, with 1 when writing failed', async () => {
    const gone = { client: client(), env: { KLOG_DIR: '/' }, writeError: { at: 1, code: 'EPIPE' } };
    expect(await run('topic list', gone)).toMatchObject({ code: 0, err: '' });
    const full = { client: client(), env: { KLOG_DIR: '/' }, writeError: { at: 1, code: 'ENOSPC' } };
    expect(await run('topic list', full)).toMatchObject({ code: 1, err: 'klog: writing standard output: ENOSPC\n' });
  });
});

describe('wantsColor', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('terminal %s, %j: %s', (isTerminal, env, expected) => {
    expect(wantsColor(isTerminal, env)).toBe(expected);
  });
});
