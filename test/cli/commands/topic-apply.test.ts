import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../src/cli/main.js';
import { inTemporaryDirectory } from '../../support/temporary-directory.js';
import { FakeContext, type FakeOptions, run as runLine } from '../support/fake-context.js';
import { MemoryClient } from '../support/memory-client.js';
import { withLog } from '../support/real-log.js';

const FILE = `
topics:
  - name: orders
    partitions: 6
    configs: {retention.ms: 604800001}
  - name: payments
    configs:
      cleanup.policy: [compact, delete]
      segment.bytes: "1000"
  - name: new
    partitions: 2
    configs: {retention.ms: 1}
`;

const client = () =>
  new MemoryClient()
    .add('orders', 3)
    .add('payments', 1, { 'cleanup.policy': 'compact,delete', 'segment.bytes': '1000' })
    .add('other', 2)
    .add('__consumer_offsets', 50);

const apply = (text: string, flags = '', options: FakeOptions = {}) =>
  runLine(['-d', '/', 'topic', 'apply', '-', ...flags.split(' ').filter((word) => word !== '')], {
    client: client(),
    stdin: [text],
    ...options,
  });

describe('topic apply', () => {
  it('creates, changes, leaves as it is, and says which', async () => {
    const memory = client();
    const { code, out, err } = await apply(FILE, '', { client: memory });
    expect({ code, out }).toEqual({
      code: 0,
      out: '~ orders\t3 -> 6 partitions, retention.ms 604800000 -> 604800001\n= payments\n+ new\t2 partitions, retention.ms=1\n',
    });
    expect(err).toBe('1 created, 1 changed, 1 unchanged (/)\n');
    expect(memory.topics.get('orders')).toEqual({
      topic: 'orders',
      partitions: 6,
      configs: { 'retention.ms': '604800001' },
    });
    expect(memory.topics.get('new')).toMatchObject({ partitions: 2, configs: { 'retention.ms': '1' } });
    expect(memory.topics.get('other')).toEqual({ topic: 'other', partitions: 2, configs: {} });
  });

  it.each(['', ' --prune'])('does nothing by half a file%s: Ctrl-C, and its writer is gone', async (flags) => {
    const memory = client();
    const before = JSON.stringify([...memory.topics]);
    const context = new FakeContext({ client: memory });
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(FILE.slice(0, FILE.indexOf('  - name: new')));
      context.interrupt('SIGINT');
    }
    Object.assign(context, { stdin: { isTerminal: false, name: 'standard input', chunks } });
    const code = await runCommandLine(`-d / topic apply - -y${flags}`.split(' '), context);
    expect({ code, out: context.out, err: context.err }).toEqual({ code: 130, out: '', err: '' });
    expect(JSON.stringify([...memory.topics])).toBe(before);
  });

  it('changes nothing the second time', async () => {
    const memory = client();
    await apply(FILE, '', { client: memory });
    const before = JSON.stringify([...memory.topics]);
    expect((await apply(FILE, '', { client: memory })).out).toBe('= orders\n= payments\n= new\n');
    expect(JSON.stringify([...memory.topics])).toBe(before);
  });

  it('knows the values that it has itself written otherwise, on a real log', async () => {
    await withLog(async (log) => {
      const text =
        'topics: [{name: a, partitions: 2, configs: {retention.ms: 7d, retention.bytes: 9223372036854775807}}]';
      expect((await log.run('topic apply -', { stdin: [text] })).out).toMatch(/^\+ a/);
      expect((await log.run('topic apply -', { stdin: [text] })).out).toBe('= a\n');
      const { out } = await log.run('topic describe a --json');
      expect(JSON.parse(out)[0].configs).toContainEqual({
        name: 'retention.bytes',
        value: '9223372036854775807',
        source: 'topic',
      });
    });
  });

  it('puts configs that are not named any more back to their defaults, and leaves all alone without configs', async () => {
    const memory = client();
    const { out } = await apply('topics: [{name: payments, configs: {segment.bytes: 1000}}, {name: orders}]', '', {
      client: memory,
    });
    expect(out).toBe('~ payments\tcleanup.policy compact,delete -> default\n= orders\n');
    expect(memory.topics.get('payments')?.configs).toEqual({ 'segment.bytes': '1000' });
  });

  it('changes nothing with --dry-run, nor makes the directory', async () => {
    const memory = client();
    const before = JSON.stringify([...memory.topics]);
    const { code, out, err, context } = await apply(FILE, '--dry-run --prune', { client: memory });
    expect(code).toBe(0);
    expect(out).toContain('- other\t2 partitions\n');
    expect(err).toBe('would be: 1 created, 1 changed, 1 unchanged, 1 deleted (/)\n');
    expect(JSON.stringify([...memory.topics])).toBe(before);
    expect(context.opened).toEqual([{ directory: '/' }]);
  });

  it('plans without a log, and makes none', async () => {
    await inTemporaryDirectory(async (directory) => {
      const options = { cwd: directory, env: { HOME: directory }, stdin: ['topics: [{name: a}]'] };
      const { code, out, err, context } = await runLine('topic apply - --dry-run', options);
      expect({ code, out }).toEqual({ code: 0, out: '+ a\t1 partition\n' });
      expect(err).toContain('no log yet');
      expect(context.opened).toEqual([]);
      const bad = { ...options, stdin: ['topics: [{name: a/b}]'] };
      expect((await runLine('topic apply -', bad)).code).toBe(2);
      expect(readdirSync(directory)).toEqual([]);
    });
  });

  it('refuses to take partitions away, before it changes anything', async () => {
    const memory = client();
    const { code, err } = await apply('topics: [{name: first}, {name: orders, partitions: 2}]', '', { client: memory });
    expect(code).toBe(2);
    expect(err).toBe(
      "klog: topic 'orders' has 3 partitions, 2 are declared. Partitions can be added, never taken away.\n",
    );
    expect(memory.topics.has('first')).toBe(false);
  });

  it('checks every topic before it changes one', async () => {
    const memory = client();
    const { code } = await apply('topics: [{name: first}, {name: b, configs: {no.such: 1}}]', '', { client: memory });
    expect(code).toBe(2);
    expect(memory.topics.has('first')).toBe(false);
  });

  it('deletes what is not named with --prune only, never internal topics, and with consent', async () => {
    const memory = client();
    const refused = await apply(FILE, '--prune', { client: memory });
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("will not delete topic 'other' (2 partitions) in / without being told to");
    expect(memory.topics.get('orders')?.partitions).toBe(3);
    expect((await apply(FILE, '--prune -y', { client: memory })).code).toBe(0);
    expect([...memory.topics.keys()].sort()).toEqual(['__consumer_offsets', 'new', 'orders', 'payments']);
  });

  it('asks before it shortens a retention', async () => {
    const memory = client();
    const text = 'topics: [{name: orders, configs: {retention.ms: 5}}]';
    const { code, context } = await apply(text, '', { client: memory, terminal: true, answer: true });
    expect(code).toBe(0);
    expect(context.questions).toEqual([
      "Shorten the retention of topic 'orders' (retention.ms from 604800000 to 5) in /?",
    ]);
    expect((await apply(text, '', { client: client() })).code).toBe(2);
  });

  it('reads a file, and prints one document with --json', async () => {
    await inTemporaryDirectory(async (directory) => {
      const file = join(directory, 'topics.json');
      writeFileSync(file, JSON.stringify({ topics: [{ name: 'a', partitions: 2, configs: { 'segment.bytes': 7 } }] }));
      const memory = client();
      const { out } = await runLine(['-d', '/', 'topic', 'apply', file, '--json'], { client: memory });
      expect(JSON.parse(out)).toEqual([
        {
          topic: 'a',
          action: 'create',
          partitions: 2,
          partitionsBefore: 0,
          configs: [{ name: 'segment.bytes', from: 'default', to: '7' }],
          applied: true,
        },
      ]);
    });
  });

  it.each([
    ['topics: [{name: a', 1, /./],
    ['topics:\n  - name: a\n    partitons: 3\n', 3, /'partitons'/],
    ['topics:\n  - name: a\n  - name: a\n', 3, /twice/],
    ['topics:\n  - name: a.b\n  - name: c\n  - name: a_b\n', 4, /'a_b' collides with topic 'a\.b'/],
    ['topics:\n  - partitions: 3\n', 2, /name must be text/],
    ['topics:\n  - name: 7\n', 2, /name must be text/],
    ['topics:\n  - name: a\n    partitions: 0\n', 3, /at least 1/],
    ['topics:\n  - name: a\n    partitions: "2"\n', 3, /at least 1/],
    ['topics:\n  - name: a\n    configs:\n      retention.ms:\n', 4, /retention\.ms must be/],
    ['topic: []\n', 1, /'topic'/],
    ['topics: {a: 1}\n', 1, /list/],
    ['- a\n', 1, /the file must have topics/],
    ['', undefined, /the file must have topics/],
    ['topics: *none\n', undefined, /alias/],
    [`a: &a [${'x,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\ntopics: [${'*b,'.repeat(20)}]\n`, undefined, /alias/],
  ])('ends with 3 and the line for %j', async (text, line, message) => {
    const { code, err } = await apply(text, '--json');
    expect(code).toBe(3);
    const error = JSON.parse(err);
    expect(error.error).toMatch(message);
    expect(error.line).toBe(line);
  });

  it.each([
    ['nested', '[*a,'.repeat(12_500), /levels deep/],
    ['closed', '}'.repeat(100_000), /Unexpected/],
    ['stray', `topics: [${','.repeat(20_000)}`, /Unexpected/],
    ['keys', `topics: {${'*a,'.repeat(20_000)}`, /too many keys|alias/],
    ['two documents', 'topics: []\n---\ntopics: []\n', /more than one document/],
  ])('says what is wrong with a file of nothing but brackets: %s', async (_, text, message) => {
    // The package itself takes minutes for some, and ends the process for the first.
    const { code, err } = await apply(text, '--json');
    expect(code).toBe(3);
    expect(JSON.parse(err).error).toMatch(message);
  });

  it('prints a schema that says what is read', async () => {
    const { code, out } = await runLine('topic apply --schema');
    expect(code).toBe(0);
    expect(Object.keys(JSON.parse(out).properties.topics.items.properties)).toEqual(['name', 'partitions', 'configs']);
    expect((await runLine('topic apply')).code).toBe(2);
  });
});
