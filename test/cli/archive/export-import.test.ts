import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { klog } from '../../support/klog-process.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { FakeContext, run } from '../support/fake-context.js';
import { numbered, RealLog, withLog } from '../support/real-log.js';

interface Logs {
  readonly from: RealLog;
  readonly to: RealLog;
  readonly file: string;
}

/** Two logs, and a place for a file. */
async function withLogs(use: (logs: Logs) => Promise<void>): Promise<void> {
  await withLog(async (from) => {
    const directory = dirname(from.directory);
    await use({ from, to: new RealLog(join(directory, 'other', '.klog')), file: join(directory, 'a.klog') });
  });
}

const json = async (log: RealLog, topics: string) => (await log.run(`consume ${topics} -J`)).out;

async function seed(log: RealLog): Promise<void> {
  await log.createTopic('orders', 3, { 'retention.ms': '-1', 'segment.bytes': '1048576' });
  await log.createTopic('empty');
  await log.produce(numbered('orders', 20, 3));
  await log.produce([
    { topic: 'odd', key: null, value: null },
    {
      topic: 'odd',
      key: Buffer.from([0xff, 0]),
      value: '',
      headers: [
        { key: 'h', value: null },
        { key: 'h', value: Buffer.from([0x80]) },
      ],
    },
  ]);
}

describe('export and import', () => {
  it.each(['', ' -z'])('bring every record back where it was%s', async (flags) => {
    await withLogs(async ({ from, to, file }) => {
      await seed(from);
      const exported = await from.run(`export -o ${file}${flags}`);
      expect(exported).toMatchObject({ code: 0, out: '' });
      expect(exported.err).toMatch(/^exported 3 topics, 22 records \(.*\) from \S+ to \S+a\.klog\n$/);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const imported = await to.run(`import ${file}`);
      expect(imported.code).toBe(0);
      expect(imported.err).toContain("topic 'orders' created: 3 partitions, 20 records");
      expect(await json(to, 'orders odd')).toBe(await json(from, 'orders odd'));
      expect((await to.run('topic list')).out).toBe('empty\t1\nodd\t1\norders\t3\n');
      const [described] = JSON.parse((await to.run('topic describe orders --json')).out);
      expect(described.configs).toContainEqual({ name: 'retention.ms', value: '-1', source: 'topic' });
      const [original] = JSON.parse((await from.run('topic describe orders --json')).out);
      expect(described.topicId).not.toBe(original.topicId);
      // The same again, byte for byte but for ids and the time.
      const again = `${file}2`;
      await to.run(`export orders odd -o ${again}`);
      expect(JSON.parse((await to.run(`import ${again} --dry-run --append --json`)).out)).toMatchObject([
        { topic: 'orders', records: 20, mode: 'append', imported: false },
        { topic: 'odd', records: 2, mode: 'append', imported: false },
      ]);
    });
  });

  it('bring what groups have committed of the topics, and move a group that is there only on', async () => {
    await withLogs(async ({ from, to, file }) => {
      await seed(from);
      await from.run('group seek billing orders:0 --to 3 -y');
      await from.run('group seek billing odd --to end -y');
      await from.run('group seek other orders:1 --to 2 -y');
      const exported = await from.run(`export orders -o ${file} --json`);
      expect(JSON.parse(exported.out)).toMatchObject({ groups: ['billing', 'other'] });
      expect(await to.run(`import ${file}`)).toMatchObject({ err: expect.stringContaining('offsets of 2 groups\n') });
      // Topic odd is not in it, and what it says of it neither.
      expect((await to.run('group describe billing --export')).out).toBe('orders,0,3\n');
      expect((await to.run('group describe other --export')).out).toBe('orders,1,2\n');

      // What came since: one group has gone on, the other one has not, and is further where the archive comes to.
      await to.run('topic trim orders -o end -y');
      await from.run('topic trim orders -o end -y');
      await from.produce(numbered('orders', 6, 3));
      await from.run('group seek billing orders:0 --to end -y');
      await to.run('group seek other orders:1 --to end -y');
      await from.run(`export orders -o ${file}2`);
      expect(await to.run(`import ${file}2`)).toMatchObject({ err: expect.stringContaining('offsets of 1 group\n') });
      expect((await to.run('group describe billing --export')).out).toBe('orders,0,9\n');
      expect((await to.run('group describe other --export')).out).toBe('orders,1,7\n');
      const another = new RealLog(join(dirname(file), 'another', '.klog'));
      expect((await another.run(`import ${file}2 --no-groups`)).code).toBe(0);
      expect((await another.run('group list')).out).toBe('');
      expect((await from.run(`export orders -o ${file}3 --no-groups --json`)).out).toContain('"groups":[]');
    });
  });

  it("leave the groups' own topic out, which is being written by whoever imports, and bring what it says", async () => {
    await withLogs(async ({ from, to, file }) => {
      await seed(from);
      await from.run('group seek billing orders:0 --to 3 -y');
      expect((await from.run(`export -i -o ${file}`)).code).toBe(0);
      const imported = await to.run(`import ${file}`);
      expect(imported).toMatchObject({ code: 0, err: expect.stringContaining("left out '__consumer_offsets'") });
      expect((await to.run('group describe billing --export')).out).toBe('orders,0,3\n');
      const named = await to.run(`import ${file} --append --topics __consumer_offsets`);
      expect(named).toMatchObject({ code: 2, err: expect.stringContaining('cannot be imported') });
    });
  });

  it('refuse a list of topics that names none', async () => {
    await withLogs(async ({ from, to, file }) => {
      await seed(from);
      await from.run(`export -o ${file}`);
      expect((await to.run(['import', file, '--topics', ','])).code).toBe(2);
    });
  });

  it('leave a link to the file, and a name as long as names may be, as they are', async () => {
    await withLogs(async ({ from, file }) => {
      await seed(from);
      writeFileSync(file, 'an older one');
      const link = join(dirname(file), 'latest');
      symlinkSync('a.klog', link);
      expect((await from.run(`export orders -o ${link}`)).code).toBe(0);
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
      expect(readFileSync(file).length).toBeGreaterThan(500);
      const long = join(dirname(file), 'x'.repeat(255));
      expect((await from.run(`export orders -o ${long}`)).code).toBe(0);
      expect(statSync(long).size).toBe(statSync(file).size);
      expect(readdirSync(dirname(file)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    });
  });

  it('write to /dev/fd/N, which leads to a file, without putting another file in its place', async () => {
    await withLogs(async ({ from, file }) => {
      await seed(from);
      const opened = openSync(file, 'w');
      const { ino } = statSync(file);
      expect((await from.run(`export orders -o /dev/fd/${opened}`)).code).toBe(0);
      closeSync(opened);
      expect(statSync(file).ino).toBe(ino);
      expect((await from.run(`import ${file} --dry-run --append`)).code).toBe(0);
    });
  });

  it('leave offsets of the archive where records get others', async () => {
    await withLogs(async ({ from, to, file }) => {
      await seed(from);
      await from.run('group seek billing orders:0 --to 3 -y');
      await from.run(`export orders -o ${file}`);
      await to.produce(numbered('orders', 3, 3).map((record) => ({ ...record, partition: 0 })));
      await to.run('topic alter orders -p 3');
      expect((await to.run(`import ${file} --append`)).code).toBe(0);
      expect((await to.run('group list')).out).toBe('');
    });
  });

  it('go through a pipe', async () => {
    await withLogs(async ({ from, to }) => {
      await seed(from);
      const context = new FakeContext();
      const chunks: Buffer[] = [];
      const append = context.stdout.append.bind(context.stdout);
      Object.assign(context.stdout, {
        append: (source: Uint8Array, start: number, end: number) => {
          chunks.push(Buffer.from(source.subarray(start, end)));
          return append(source, start, end);
        },
      });
      const { openClient } = await import('../../../src/clients/local/open-client.js');
      const { runExport } = await import('../../../src/cli/archive/run-export.js');
      const options = { topics: ['orders'], dir: from.directory, json: false, quiet: false, verbose: false };
      const open = Object.assign(context, { openClient });
      expect(await runExport(options, open)).toBe(0);
      expect(context.err).toContain('to standard output');
      expect((await to.run('import -', { stdin: chunks })).code).toBe(0);
      expect(await json(to, 'orders')).toBe(await json(from, 'orders'));
      // Half of it: nothing stays.
      const half = Buffer.concat(chunks).subarray(0, 700);
      const third = new RealLog(`${to.directory}3`);
      const cut = await third.run('import -', { stdin: [half] });
      expect(cut.code).toBe(3);
      expect(cut.err).toMatch(/standard input ends at byte 700/);
      expect((await third.run('topic list')).out).toBe('');
      expect(readdirSync(join(third.directory, 'log')).sort()).toEqual(['.lock', 'meta.properties']);
    });
  });

  it('leave no directory where there was none, when what comes through a pipe is no archive, or ends in the middle', async () => {
    await withLogs(async ({ from, file }) => {
      await seed(from);
      await from.run(`export -o ${file}`);
      const archive = readFileSync(file);
      const cwd = temporaryDirectory();
      for (const input of ['garbage', archive.subarray(0, archive.length - 1)]) {
        expect((await klog(['-d', 'new/.klog', 'import', '-'], { cwd, input })).code).toBe(3);
        expect(readdirSync(cwd)).toEqual([]);
      }
      expect((await klog(['-d', 'new/.klog', 'import', '-'], { cwd, input: archive })).code).toBe(0);
      expect((await klog(['-d', 'new/.klog', 'topic', 'list'], { cwd })).out).toBe('empty\t1\nodd\t1\norders\t3\n');
    });
  });

  it('name the bad byte of a damaged file, and change nothing', async () => {
    await withLogs(async ({ from, to, file }) => {
      await seed(from);
      await from.run(`export -o ${file}`);
      const bytes = readFileSync(file);
      bytes[bytes.length - 300]! ^= 4;
      writeFileSync(file, bytes);
      const { code, err } = await to.run(`import ${file} --json`);
      expect(code).toBe(3);
      const error = JSON.parse(err);
      expect(error).toMatchObject({ code: 'KLOG_BAD_INPUT', exit: 3, file });
      expect(error.error).toContain(`is damaged at byte ${error.position}`);
      expect((await to.run('topic list')).out).toBe('');
      writeFileSync(file, 'no archive at all');
      expect((await to.run(`import ${file}`)).err).toContain('is no archive of klog export');
      expect((await to.run(`import ${file}.missing`)).code).toBe(1);
    });
  });

  it('fill an empty topic, refuse one with records, add to it with --append', async () => {
    await withLogs(async ({ from, to, file }) => {
      await seed(from);
      await from.run(`export orders -o ${file}`);
      await to.createTopic('orders', 4, { 'retention.ms': '123456789' });
      const filled = await to.run(`import ${file}`);
      expect(filled.code).toBe(0);
      expect(filled.err).toContain("topic 'orders' filled, with the offsets of the archive");
      expect(await json(to, 'orders')).toBe(await json(from, 'orders'));
      const refused = await to.run(`import ${file}`);
      expect(refused.code).toBe(1);
      expect(refused.err).toContain('--append');
      expect((await to.run(`import ${file} --append`)).code).toBe(0);
      expect((await to.run('topic offsets orders:0')).out).toBe('orders\t0\t0\t14\n');
      const values = async (log: RealLog) => (await log.run('consume orders -p 0')).out;
      expect(await values(to)).toBe((await values(from)).repeat(2));
      const third = new RealLog(`${to.directory}3`);
      await third.createTopic('orders', 2);
      expect((await third.run(`import ${file}`)).code).toBe(2);
    });
  });

  it('choose topics, say what would be done, and make nothing of it', async () => {
    await withLogs(async ({ from, to, file }) => {
      await seed(from);
      await from.run(`export -o ${file}`);
      const dry = await run(`-d ${to.directory} import ${file} --topics odd,empty --dry-run`);
      expect(dry.code).toBe(0);
      expect(dry.err).toContain("topic 'odd' would be created: 1 partition, 2 records");
      expect(dry.context.opened).toEqual([]);
      expect(existsSync(to.directory)).toBe(false);
      expect((await to.run(`import ${file} --topics odd`)).code).toBe(0);
      expect((await to.run('topic list')).out).toBe('odd\t1\n');
      const unknown = await to.run(`import ${file} --topics nothere`);
      expect(unknown.code).toBe(4);
      expect(unknown.err).toContain('It has empty, odd, orders');
    });
  });

  it('keep the log start', async () => {
    await withLogs(async ({ from, to, file }) => {
      await from.createTopic('t', 2);
      await from.run('topic clone t u');
      await from.produce(numbered('t', 4, 2));
      await from.run(`export t -o ${file}`);
      await to.run(`import ${file}`);
      expect((await to.run('topic offsets t')).out).toBe('t\t0\t0\t2\nt\t1\t0\t2\n');
    });
  });

  it('leave no file, and the one that was there, when the export fails', async () => {
    await withLogs(async ({ from, file }) => {
      await seed(from);
      writeFileSync(file, 'precious');
      expect((await from.run(`export nothere -o ${file}`)).code).toBe(4);
      expect((await from.run(`export -o ${dirname(file)}`)).code).toBe(1);
      expect((await from.run(`export -o ${file}/x`)).code).toBe(1);
      expect(readFileSync(file, 'utf8')).toBe('precious');
      expect(readdirSync(dirname(file)).sort()).toEqual(['.klog', 'a.klog']);
    });
  });

  it('are refused onto a terminal, and with --json onto standard output', async () => {
    await withLogs(async ({ from, file }) => {
      await seed(from);
      expect((await from.run('export', { terminal: true })).code).toBe(2);
      expect((await from.run('export --json')).code).toBe(2);
      const { out } = await from.run(`export orders -o ${file} --json`);
      expect(JSON.parse(out)).toMatchObject({ file, records: 20, deleted: [], topics: [{ topic: 'orders' }] });
      expect((await from.run(['export', '-r', 'o.*', '-o', file, '--json'])).out).toContain('"topic":"odd"');
    });
  });
});

describe('topic clone', () => {
  it('makes a topic like another, empty or with the same records at the same offsets', async () => {
    await withLog(async (log) => {
      await seed(log);
      expect((await log.run('topic clone orders a')).code).toBe(0);
      expect((await log.run('consume a')).out).toBe('');
      const { code, err } = await log.run('topic clone orders b --with-records');
      expect(code).toBe(0);
      expect(err).toMatch(/^created topic 'b' like 'orders' with 3 partitions, with its records \(.*\) in /);
      const renamed = (await json(log, 'b')).replaceAll('"topic":"b"', '"topic":"orders"');
      expect(renamed).toBe(await json(log, 'orders'));
      const [described] = JSON.parse((await log.run('topic describe b --json')).out);
      expect(described.configs).toContainEqual({ name: 'retention.ms', value: '-1', source: 'topic' });
    });
  });

  it('refuses a topic that is there, and changes nothing with --dry-run', async () => {
    await withLog(async (log) => {
      await seed(log);
      expect((await log.run('topic clone orders odd')).code).toBe(1);
      expect((await log.run('topic clone orders odd --with-records')).code).toBe(1);
      expect((await log.run('topic clone nothere x')).code).toBe(4);
      const { code, out } = await log.run('topic clone orders x --with-records --dry-run --json');
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ source: 'orders', target: 'x', partitions: 3, cloned: false });
      expect((await log.run('topic list')).out).not.toContain('x\t');
    });
  });
});
