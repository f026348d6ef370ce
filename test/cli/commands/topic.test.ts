import { describe, expect, it } from 'vitest';
import { type FakeOptions, run as runLine } from '../support/fake-context.js';
import { MemoryClient } from '../support/memory-client.js';

/** `-d /` exists everywhere; what is in it is the memory client's. */
const run = (line: string | string[], options: FakeOptions = {}) =>
  runLine(['-d', '/', ...(typeof line === 'string' ? line.split(' ') : line)], options);

const client = () => new MemoryClient().add('orders', 3).add('payments', 1).add('__consumer_offsets', 50);

describe('topic create', () => {
  it('creates, and names the directory', async () => {
    const memory = new MemoryClient();
    const result = await run('topic create orders -p 3 -c retention.ms=5', { client: memory });
    expect(result).toMatchObject({ code: 0, out: '', err: "created topic 'orders' with 3 partitions in /\n" });
    expect(memory.topics.get('orders')).toEqual({ topic: 'orders', partitions: 3, configs: { 'retention.ms': '5' } });
    expect(result.context.opened).toEqual([{ directory: '/', create: true, removeUnused: true }]);
    expect(memory.closed).toBe(1);
  });

  it('creates several, goes on behind one that exists, and ends with 1', async () => {
    const memory = client();
    const { code, err } = await run('topic create a orders b', { client: memory });
    expect(code).toBe(1);
    expect([...memory.topics.keys()]).toEqual(expect.arrayContaining(['a', 'b']));
    expect(err).toContain('klog: topic orders exists');
  });

  it('keeps the code that all operands share', async () => {
    expect((await run('topic create x/y z/y', { client: client() })).code).toBe(2);
    expect((await run('topic create orders new', { client: client() })).code).toBe(1);
  });

  it('makes none of them where one is illegal', async () => {
    const memory = client();
    expect(await run('topic create new x/y', { client: memory })).toMatchObject({ code: 2, context: { opened: [] } });
    expect(memory.topics.has('new')).toBe(false);
  });

  it('fails with 1 if the topic exists, and not with --if-not-exists', async () => {
    expect((await run('topic create orders', { client: client() })).code).toBe(1);
    const memory = client();
    const { code, out } = await run('topic create orders new -p 7 --if-not-exists --json', { client: memory });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      { topic: 'orders', topicId: 'id-of-orders', partitions: 3, created: false },
      { topic: 'new', topicId: 'id-of-new', partitions: 7, created: true },
    ]);
    expect(memory.topics.get('orders')?.partitions).toBe(3);
  });

  it('changes nothing with --dry-run, nor makes the directory', async () => {
    const memory = client();
    const { code, err, context } = await run('topic create new --dry-run', { client: memory });
    expect(code).toBe(0);
    expect(err).toBe("would create topic 'new' with 1 partition in /\n");
    expect(memory.topics.has('new')).toBe(false);
    expect(context.opened).toEqual([{ directory: '/' }]);
  });

  it.each([
    ['topic create', 'missing required argument'],
    ['topic create a -p 0', '--partitions'],
    ['topic create a -p 1.5', '--partitions'],
    ['topic create a -c retention.ms', '--config'],
    ['topic create a/b', 'topic name "a/b" holds "/"'],
    ['topic create a -c no.such=1', 'no.such'],
  ])('%s is a usage error', async (line, text) => {
    const { code, err } = await run(line, { client: client() });
    expect(code).toBe(2);
    expect(err).toContain(text);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it("takes kcl's and rpk's flag names", async () => {
    const memory = new MemoryClient();
    await run('topic create a --num-partitions 2 --topic-config retention.ms=1 -k segment.bytes=2048', {
      client: memory,
    });
    expect(memory.topics.get('a')).toMatchObject({
      partitions: 2,
      configs: { 'retention.ms': '1', 'segment.bytes': '2048' },
    });
  });

  it('says nothing with -q', async () => {
    expect(await run('topic create a -q', { client: client() })).toMatchObject({ code: 0, out: '', err: '' });
  });
});

describe('topic list', () => {
  it('prints lines of tabs without headings where there is no terminal', async () => {
    expect(await run('topic list', { client: client() })).toMatchObject({
      code: 0,
      out: 'orders\t3\npayments\t1\n',
      err: '',
    });
  });

  it('prints aligned columns under headings on a terminal', async () => {
    const { out } = await run('topic list', { client: client(), terminal: true, env: { NO_COLOR: '1' } });
    expect(out).toBe('TOPIC     PARTITIONS\norders             3\npayments           1\n');
  });

  it('shows internal topics with -i only', async () => {
    expect((await run('topic list -i', { client: client() })).out).toBe(
      '__consumer_offsets\t50\norders\t3\npayments\t1\n',
    );
  });

  it('matches whole names with -r, and never internal topics', async () => {
    expect((await run(['topic', 'list', '-r', 'pay.*'], { client: client() })).out).toBe('payments\t1\n');
    expect((await run(['topic', 'list', '-r', 'pay'], { client: client() })).out).toBe('');
    expect((await run(['topic', 'list', '-r', '.*', '-i'], { client: client() })).out).toBe('orders\t3\npayments\t1\n');
    expect((await run(['topic', 'list', '-r', 'order|s'], { client: client() })).out).toBe('');
    expect((await run(['topic', 'list', '-r', '('], { client: client() })).code).toBe(2);
  });

  it('prints one document with --json', async () => {
    const { out } = await run('topic list payments --json', { client: client() });
    expect(out).toBe('[{"topic":"payments","topicId":"id-of-payments","partitions":1,"internal":false}]\n');
  });

  it('fails with 4 for a name that is not there, with the nearest one', async () => {
    const { code, err } = await run('topic list oders', { client: client() });
    expect(code).toBe(4);
    expect(err).toBe("klog: unknown topic 'oders'. Did you mean 'orders'?\n");
  });

  it('escapes what a name must not do to a terminal', async () => {
    const { err, code } = await run(['topic', 'list', 'a\u001b[2Jb\nc\u202e'], { client: client() });
    expect(code).toBe(2);
    expect(err).toMatch(/^klog: topic name "a\\u001b\[2Jb\\nc\\u202e" holds /);
  });
});

describe('topic describe', () => {
  it('prints the same page with and without a terminal', async () => {
    const memory = new MemoryClient().add('orders', 2, { 'retention.ms': '5' });
    const { code, out } = await run('topic describe orders', { client: memory });
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'topic       orders',
        'topic id    id-of-orders',
        'partitions  2',
        'internal    no',
        '',
        'CONFIG        VALUE  SOURCE',
        'retention.ms  5      topic',
        '',
        'PARTITION  LOG-START  HIGH-WATERMARK  LAST-STABLE  LOG-END  EPOCH  SEGMENTS  BYTES',
        '        0         10              20           20       20      0         1   1234',
        '        1         10              20           20       20      0         1   1234',
        '',
        'PRODUCED WITH   PROMISES',
        '--acks all      every record is on disk: it survives a power loss (the default)',
        '--acks written  every record is written: it survives the death of klog, not that of the machine',
        '--acks none     nothing: records are handed over, and what fails later goes unnoticed',
        '',
      ].join('\n'),
    );
    const onTerminal = await run('topic describe orders', { client: memory, terminal: true, env: { TERM: 'dumb' } });
    expect(onTerminal.out).toBe(out);
  });

  it('shows defaults with --all-configs', async () => {
    expect((await run('topic describe orders -a', { client: client() })).out).toContain(
      'segment.bytes    1073741824  default',
    );
  });

  it('describes those that are there, and ends with 1', async () => {
    const { code, out, err } = await run('topic describe orders oders --json', { client: client() });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toHaveLength(1);
    expect(JSON.parse(err)).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', exit: 4, topic: 'oders' });
  });

  it('fails with 4 for an expression that matches nothing', async () => {
    expect((await run(['topic', 'describe', '-r', 'x.*'], { client: client() })).code).toBe(4);
  });
});

describe('topic alter', () => {
  it('sets, deletes, appends and subtracts', async () => {
    const memory = new MemoryClient().add('t', 1, { 'segment.bytes': '5', 'cleanup.policy': 'compact' });
    const { code, err } = await run(
      'topic alter t --set retention.ms=99 --delete segment.bytes --append cleanup.policy=x --subtract cleanup.policy=compact',
      { client: memory },
    );
    expect(code).toBe(0);
    expect(memory.topics.get('t')?.configs).toEqual({ 'retention.ms': '99', 'cleanup.policy': 'x' });
    expect(err).toContain('segment.bytes from 5 to default');
  });

  it('takes -p as the new total and --add as more', async () => {
    const memory = client();
    expect((await run('topic alter orders -p 5', { client: memory })).code).toBe(0);
    expect(memory.topics.get('orders')?.partitions).toBe(5);
    const { err } = await run('topic alter orders --add 2', { client: memory });
    expect(memory.topics.get('orders')?.partitions).toBe(7);
    expect(err).toContain('5 partitions to 7');
    expect(err).toContain('later records of a key');
  });

  it('refuses fewer partitions, both flags, and nothing at all', async () => {
    for (const line of ['topic alter orders -p 2', 'topic alter orders -p 5 --add 1', 'topic alter orders']) {
      expect((await run(line, { client: client() })).code).toBe(2);
    }
  });

  it('checks everything before it changes anything', async () => {
    const memory = client();
    expect((await run('topic alter orders --set segment.bytes=5 -p 2', { client: memory })).code).toBe(2);
    expect(memory.topics.get('orders')?.configs).toEqual({});
  });

  it.each([
    ['--set retention.ms=5', {}],
    ['--set retention.bytes=5', {}],
    ['--delete retention.ms', { 'retention.ms': '-1' }],
    ['--append cleanup.policy=delete', { 'cleanup.policy': 'compact' }],
  ])('needs -y where %s shortens the retention', async (flags, configs) => {
    const memory = new MemoryClient().add('t', 1, configs);
    const refused = await run(`topic alter t ${flags}`, { client: memory });
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain("of topic 't' in /");
    expect(refused.err).toContain('Confirm it with -y.');
    expect(memory.topics.get('t')?.configs).toEqual(configs);
    expect((await run(`topic alter t ${flags} -y`, { client: memory })).code).toBe(0);
    expect(memory.topics.get('t')?.configs).not.toEqual(configs);
  });

  it.each([
    ['--set retention.ms=-1', {}],
    ['--set retention.ms=5', { 'cleanup.policy': 'compact' }],
    ['--delete retention.ms', { 'retention.ms': '5' }],
    ['--set segment.bytes=5', {}],
  ])('does not ask where %s keeps as much or more', async (flags, configs) => {
    expect((await run(`topic alter t ${flags}`, { client: new MemoryClient().add('t', 1, configs) })).code).toBe(0);
  });

  it('asks at a terminal and takes no for an answer', async () => {
    const memory = client();
    const options = { client: memory, terminal: true };
    const no = await run('topic alter orders --set retention.ms=5', { ...options, answer: false });
    expect(no.code).toBe(2);
    expect(no.context.questions).toEqual([
      "Shorten the retention: change retention.ms from 604800000 to 5 of topic 'orders' in /?",
    ]);
    expect(memory.topics.get('orders')?.configs).toEqual({});
    expect((await run('topic alter orders --set retention.ms=5', { ...options, answer: true })).code).toBe(0);
    expect(memory.topics.get('orders')?.configs).toEqual({ 'retention.ms': '5' });
  });

  it('says in JSON that a topic that is so already was not altered', async () => {
    const options = { client: client() };
    const line = 'topic alter orders --set retention.ms=7000000000 --json';
    expect(JSON.parse((await run(line, options)).out)[0].altered).toBe(true);
    expect(JSON.parse((await run(line, options)).out)[0]).toMatchObject({ configs: [], altered: false });
  });

  it('changes nothing with --dry-run, and needs no -y for it', async () => {
    const memory = client();
    const { code, out } = await run('topic alter orders --set retention.ms=5 -p 9 --dry-run --json', {
      client: memory,
    });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      {
        topic: 'orders',
        partitions: 9,
        configs: [{ name: 'retention.ms', from: '604800000', to: '5' }],
        altered: false,
      },
    ]);
    expect(memory.topics.get('orders')).toEqual({ topic: 'orders', partitions: 3, configs: {} });
  });
});

describe('topic delete', () => {
  it('needs -y where nobody can be asked, and deletes nothing without it', async () => {
    const memory = client();
    const refused = await run('topic delete orders payments', { client: memory });
    expect(refused.code).toBe(2);
    expect(refused.err).toBe(
      "klog: will not delete topics 'orders' (3 partitions), 'payments' (1 partition) in / without being told to. Confirm it with -y.\n",
    );
    expect(memory.topics.size).toBe(3);
    const deleted = await run('topic delete orders payments -y', { client: memory });
    expect(deleted.code).toBe(0);
    expect([...memory.topics.keys()]).toEqual(['__consumer_offsets']);
  });

  it('fails with 4 for an unknown topic, with 0 and --if-exists', async () => {
    const { code, err } = await run('topic delete oders -y', { client: client() });
    expect({ code, err }).toEqual({ code: 4, err: "klog: unknown topic 'oders'. Did you mean 'orders'?\n" });
    expect((await run('topic delete oders --if-exists', { client: client() })).code).toBe(0);
    expect((await run(['topic', 'delete', '-r', 'x.*', '--if-exists'], { client: client() })).code).toBe(0);
  });

  it('deletes those that are there, and ends with 1', async () => {
    const memory = client();
    expect((await run('topic delete nope orders -y', { client: memory })).code).toBe(1);
    expect(memory.topics.has('orders')).toBe(false);
  });

  it('needs --force, not -y, for an internal topic', async () => {
    const memory = client();
    const refused = await run('topic delete __consumer_offsets -y', { client: memory });
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('--force');
    expect(memory.topics.has('__consumer_offsets')).toBe(true);
    expect((await run('topic delete __consumer_offsets --force', { client: memory })).code).toBe(2);
    expect((await run('topic delete __consumer_offsets --force -y', { client: memory })).code).toBe(0);
  });

  it('says with --dry-run what would go, and needs no -y for it', async () => {
    const memory = client();
    const { code, out } = await run(['topic', 'delete', '-r', '.*', '--dry-run', '--json'], { client: memory });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      { topic: 'orders', deleted: false },
      { topic: 'payments', deleted: false },
    ]);
    expect(memory.topics.size).toBe(3);
  });

  it("takes rpk's and kaf's --no-confirm and --noconfirm", async () => {
    expect((await run('topic delete orders --no-confirm', { client: client() })).code).toBe(0);
    expect((await run('topic delete orders --noconfirm', { client: client() })).code).toBe(0);
  });
});

describe('topic offsets', () => {
  it('prints start and end of each partition', async () => {
    const { code, out } = await run('topic offsets orders payments', { client: client() });
    expect(code).toBe(0);
    expect(out).toBe('orders\t0\t10\t20\norders\t1\t10\t20\norders\t2\t10\t20\npayments\t0\t10\t20\n');
  });

  it('looks up a time; where there is none, none', async () => {
    const { out } = await run('topic offsets orders:0 orders:1 @3', { client: client() });
    expect(out).toBe('orders\t0\t13\t3000\norders\t1\t-\t-\n');
    const json = await run('topic offsets orders:0 orders:1 @3 --json', { client: client() });
    expect(JSON.parse(json.out)).toEqual([
      { topic: 'orders', partition: 0, offset: 13, timestamp: 3000 },
      { topic: 'orders', partition: 1, offset: null, timestamp: null },
    ]);
  });

  it('counts from now', async () => {
    expect((await run('topic offsets orders:0 @-2s', { client: client(), now: 7_000 })).out).toBe(
      'orders\t0\t15\t5000\n',
    );
  });

  it('fails with 4 for an unknown topic or partition', async () => {
    expect((await run('topic offsets nope', { client: client() })).code).toBe(4);
    expect((await run('topic offsets orders:9', { client: client() })).code).toBe(4);
  });

  it.each([
    'topic offsets',
    'topic offsets @5',
    'topic offsets orders @soon',
    'topic offsets orders:x',
    'topic offsets orders @5 --tz Mars',
  ])('%s is a usage error', async (line) => {
    expect((await run(line, { client: client() })).code).toBe(2);
  });
});
